//! The switch: user space writes, programs read.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use bpfvar::error::{Holder, Property};
use bpfvar::{Bind, Error, Globals, ReadOnly, ReadWrite, Shared, Switch, SwitchWriter};
use bpfvar_testkit::insn::{self, Reg};
use bpfvar_testkit::{Program, ProgramType, host};

use super::{Config, count, loaded, on_all_cpus, times};

fn switch(globals: &Globals) -> SwitchWriter<Config> {
    globals.var("config").unwrap().switch().unwrap()
}

#[test]
fn an_update_is_one_version() {
    let Some((loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    assert_eq!(config.version(), 0);
    assert_eq!(config.read().unwrap().rate, 1000, "as it was initialised");
    assert_eq!(config.update(|config| *config = Config::of(5)).unwrap(), 1);
    assert_eq!((config.version(), config.read().unwrap()), (1, Config::of(5)));
    assert_eq!(loaded.program("read_config").run(1), 5);
    assert_eq!(config.update(|config| config.burst += 1).unwrap(), 2);
    assert_eq!(config.read().unwrap(), Config { burst: 6, ..Config::of(5) });
    assert_eq!(config.view().read_versioned().unwrap().0, 2);
    // What was published and not waited for is waited for by the next one.
    assert_eq!(config.publish(|config| *config = Config::of(6)).unwrap(), 3);
    assert_eq!(count(&globals, "config.bpfvar_switch.settled"), 2);
    assert_eq!(loaded.program("read_config").run(1), 6);
    config.settle().unwrap();
    assert_eq!(count(&globals, "config.bpfvar_switch.settled"), 3);
    let shared: Shared<Switch<Config>, ReadOnly> = globals.var("config").unwrap().bind().unwrap();
    assert_eq!(shared.read().into_current(), Config::of(6));
    assert_eq!(format!("{:?}", shared.view()), format!("{:?}", config.view()));
}

#[test]
fn a_change_that_was_made_from_an_old_version_is_refused() {
    let Some((_loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    let (version, value) = config.view().read_versioned().unwrap();
    config.update(|config| config.rate = 7).unwrap();
    let error = config.update_from(version, |config| *config = Config { rate: value.rate + 1, ..value }).unwrap_err();
    assert!(matches!(error, Error::Mismatch { property: Property::Version, .. }), "{error:?}");
    assert!(error.to_string().contains("its version is 1, expected 0"), "{error}");
    assert_eq!(config.update_from(1, |config| config.rate = 8).unwrap(), 2);
    assert_eq!(config.read().unwrap().rate, 8);
}

#[test]
fn a_closure_that_panics_changes_nothing_and_one_that_switches_is_refused() {
    let Some((_loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    let before = config.read().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        config.update(|config| {
            config.rate = 1;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!((config.version(), config.read().unwrap()), (0, before));
    config
        .update(|_| {
            let error = config.update(|config| config.rate = 2).unwrap_err();
            assert!(matches!(error, Error::Busy { holder: Holder::ThisThread, .. }), "{error:?}");
        })
        .unwrap();
}

/// The hunt: programs on all CPUs read while user space switches, and count each run that sees two versions.
#[test]
fn no_run_sees_two_versions() {
    let Some((loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    config.update(|config| *config = Config::of(0)).unwrap();
    let before = count(&globals, "torn_config");
    let switches = times(50, 10_000);
    let (_, ()) = on_all_cpus(&loaded, "read_config", || {
        for number in 1..=switches {
            config.update(|config| *config = Config::of(number)).unwrap();
        }
    });
    let torn = count(&globals, "torn_config") - before;
    println!("{} runs beside {switches} switches: {torn} saw two versions", count(&globals, "runs"));
    assert_eq!(torn, 0);
}

/// The control: the same by plain writes.
#[test]
fn without_it_runs_see_two_versions() {
    let Some((loaded, globals)) = loaded() else { return };
    if !host::has_cpus(2) {
        return;
    }
    let bare: Shared<Config> = globals.var("bare").unwrap().bind().unwrap();
    bare.write(Config::of(0));
    let before = count(&globals, "torn_bare");
    let (_, writes) = on_all_cpus(&loaded, "read_bare", || {
        (1..100_000_000_u64).find(|number| {
            bare.write(Config::of(*number));
            number % 1000 == 0 && count(&globals, "torn_bare") > before
        })
    });
    println!("without a switch, runs saw two versions by write number {writes:?}");
    assert!(writes.is_some());
}

#[test]
fn several_processes_lose_no_update() {
    const EACH: u64 = 20;
    let add = |config: &SwitchWriter<Config>| {
        for _ in 0..EACH {
            config.update(|config| *config = Config::of(config.rate + 1)).unwrap();
        }
    };
    if let Some(id) = host::argument() {
        add(&switch(&Globals::by_id(id.parse().unwrap()).unwrap()));
        return;
    }
    let Some((loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    config.update(|config| *config = Config::of(0)).unwrap();
    let id = loaded.program("read_config").id().to_string();
    let mut child = host::this_test_command(&id).stdout(Stdio::null()).spawn().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| add(&config));
        add(&config);
    });
    assert!(child.wait().unwrap().success());
    assert_eq!(config.read().unwrap(), Config::of(3 * EACH));
    assert_eq!(config.version(), 1 + 3 * EACH);
}

/// Kills writers at any moment.
#[test]
fn a_killed_writer_leaves_one_version_and_the_next_goes_on() {
    if let Some(id) = host::argument() {
        let config = switch(&Globals::by_id(id.parse().unwrap()).unwrap());
        config.publish(|config| *config = Config::of(0)).unwrap();
        println!("ready");
        for number in 1.. {
            config.publish(|config| *config = Config::of(number)).unwrap();
        }
    }
    let Some((loaded, globals)) = loaded() else { return };
    let config = switch(&globals);
    config.update(|config| *config = Config::of(0)).unwrap();
    let id = loaded.program("read_config").id().to_string();
    let before = count(&globals, "torn_config");
    let kills = times(10, 1000);
    let (_, held) = on_all_cpus(&loaded, "read_config", || {
        let mut held = 0;
        for kill in 0..kills {
            let mut child = host::this_test_command(&id).stdout(Stdio::piped()).spawn().unwrap();
            let mut out = child.stdout.take().unwrap();
            let (mut byte, mut seen) = ([0], Vec::new());
            while !seen.ends_with(b"ready\n") {
                out.read_exact(&mut byte).unwrap();
                seen.extend(byte);
            }
            thread::sleep(Duration::from_micros(kill * 7919 % 30_000));
            child.kill().unwrap();
            child.wait().unwrap();
            held += u32::from(count(&globals, "config.bpfvar_switch.writer") != 0);
            let found = config.read().unwrap();
            assert_eq!(found, Config::of(found.rate));
            // Every now and then two in a row.
            if kill % 3 != 0 {
                config.publish(|config| *config = Config::of(kill)).unwrap();
            }
        }
        held
    });
    println!("{kills} writers killed, {held} of them held the lock");
    assert!(held > 0, "they are killed in the middle");
    assert_eq!(count(&globals, "torn_config"), before);
    config.update(|config| config.rate = 1).unwrap();
}

#[test]
fn sleepable_programs_are_found_and_need_a_word() {
    let Some((loaded, globals)) = loaded() else { return };
    // Syscall programs, which are always sleepable, exist since 5.14.
    if !host::ready((5, 14)) {
        return;
    }
    let map = loaded.map(".data").as_fd();
    let mut insns = insn::load_value(Reg::R1, map, 0).to_vec();
    insns.extend([insn::mov_imm(Reg::R0, 0), insn::exit()]);
    let config = switch(&globals);
    // Of a type that has sleepable variants, and none of them.
    let kprobe = Program::load(ProgramType::Kprobe, &insns).unwrap();
    assert_eq!(config.update(|config| config.rate = 4).unwrap(), 1);
    let sleeps = Program::load(ProgramType::Syscall, &insns).unwrap();
    let error = config.update(|config| config.rate = 1).unwrap_err();
    let Error::MaySleep { programs, .. } = &error else { panic!("{error:?}") };
    assert_eq!(programs.iter().map(|program| program.id()).collect::<Vec<_>>(), [Some(sleeps.id())]);
    assert!(error.to_string().contains("config"), "{error}");
    assert_eq!(config.version(), 1);
    let error = globals.var("config.rate").unwrap().set(5).unwrap_err();
    assert!(matches!(error, Error::MaySleep { .. }), "{error:?}");
    // Said to be harmless.
    globals.var("config.rate").unwrap().allow_sleepable().set(5).unwrap();
    let config = config.allow_sleepable();
    assert_eq!(config.update(|config| config.rate += 1).unwrap(), 3);
    assert_eq!(config.read().unwrap().rate, 6);
    drop((sleeps, kprobe));
    host::eventually(|| switch(&globals).update(|_| ()).is_ok());
}

/// Work that a program leaves for later may sleep, whatever the program's own flag says. It is kept in a map.
#[test]
fn programs_with_deferred_work_need_a_word() {
    let Some((loaded, globals)) = loaded() else { return };
    if !host::ready((6, 10)) {
        return;
    }
    let work = bpfvar_testkit::opaque_map("bpf_wq", 0).unwrap();
    let mut insns = insn::load_value(Reg::R1, loaded.map(".data").as_fd(), 0).to_vec();
    insns.extend(insn::load_map(Reg::R1, work.as_fd()));
    insns.extend([insn::mov_imm(Reg::R0, 0), insn::exit()]);
    let program = Program::load(ProgramType::SocketFilter, &insns).unwrap();
    let error = switch(&globals).update(|config| config.rate = 1).unwrap_err();
    let Error::MaySleep { programs, .. } = &error else { panic!("{error:?}") };
    assert_eq!(programs.iter().map(|program| program.id()).collect::<Vec<_>>(), [Some(program.id())]);
    drop(program);
    host::eventually(|| switch(&globals).update(|_| ()).is_ok());
}

/// A change that was made before a sleepable program was loaded.
#[test]
fn sleepable_programs_are_looked_for_when_a_change_is_applied() {
    let Some((loaded, globals)) = loaded() else { return };
    if !host::ready((5, 14)) {
        return;
    }
    let change = globals.var("config.rate").unwrap().change(5).unwrap();
    let mut insns = insn::load_value(Reg::R1, loaded.map(".data").as_fd(), 0).to_vec();
    insns.extend([insn::mov_imm(Reg::R0, 0), insn::exit()]);
    let _sleeps = Program::load(ProgramType::Syscall, &insns).unwrap();
    let error = change.apply().unwrap_err();
    assert!(matches!(error, Error::MaySleep { .. }), "{error:?}");
    assert_eq!(switch(&globals).version(), 0);
}

#[test]
fn without_the_capabilities_the_error_says_what_is_missing() {
    let Some((loaded, globals)) = loaded() else { return };
    // Another process opens the maps and drops its rights; the writer is made before or after.
    let config = switch(&globals);
    host::without_capabilities(|| {
        let error = config.update(|config| config.rate = 1).unwrap_err();
        assert!(matches!(&error, Error::MaySleep { programs, .. } if programs.is_empty()), "{error:?}");
        assert!(error.to_string().contains("CAP_SYS_ADMIN"), "{error}");
    });
    assert_eq!(config.version(), 0);
    drop(loaded);
}

#[derive(Bind)]
struct Bound {
    config: SwitchWriter<Config>,
    #[bind("config")]
    seen: Shared<Switch<Config>, ReadOnly>,
    #[bind("nothing")]
    absent: Option<SwitchWriter<Config>>,
}

#[test]
fn a_switch_is_bound_with_the_rest() {
    let Some((_loaded, globals)) = loaded() else { return };
    let bound = Bound::bind(&globals).unwrap();
    bound.config.update(|config| config.rate = 9).unwrap();
    assert_eq!(bound.seen.view().read().unwrap().rate, 9);
    assert!(bound.absent.is_none());
    // What is not one is no switch, and has no single place that may be written.
    assert!(matches!(globals.var("bare").unwrap().switch::<Config>(), Err(Error::Layout { .. })));
    let error = globals.var("config").unwrap().bind::<Config, ReadWrite>().unwrap_err().to_string();
    assert!(error.contains("found BPFVAR_SWITCH(struct config) (declare it as the program does: Seq<T>"), "{error}");
    let inside = globals.var("config.rate").unwrap().bind::<u64, ReadOnly>().unwrap_err();
    assert!(inside.to_string().contains("inside of BPFVAR_SWITCH"), "{inside}");
}
