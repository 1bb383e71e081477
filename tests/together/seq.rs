//! The sequence lock: programs write, user space reads, and the other way round.

use std::process::Stdio;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{io::Read, thread};

use bpfvar::error::Holder;
use bpfvar::{Error, PerCpu, ReadOnly, ReadWrite, Seq, Shared};
use bpfvar_objects::Source;
use bpfvar_testkit::host;

use super::{Block, Config, SOURCES, count, loaded, loaded_as, on_all_cpus, times};

#[test]
fn what_a_program_wrote_is_read_whole() {
    let Some((loaded, globals)) = loaded() else { return };
    let shared: Shared<Seq<Block>, ReadOnly> = globals.var("shared").unwrap().bind().unwrap();
    assert_eq!(shared.view().read().unwrap(), Block::default());
    assert_eq!(loaded.program("write_shared").run(5), 1);
    assert_eq!(shared.view().read().unwrap(), Block { words: [5; 8] });
    assert_eq!(shared.view().read_relaxed(), Block { words: [5; 8] });
    assert_eq!(shared.view().relaxed().words.at(3).load(Relaxed), 5);
    let copy = shared.read();
    assert_eq!((copy.sequence(), copy.get()), (5, Ok(Block { words: [5; 8] })));
}

/// The hunt: every CPU writes one value, and each that is read is one that was there.
#[test]
fn no_read_is_torn_while_all_cpus_write() {
    SOURCES.iter().for_each(|source| hunt_beside_writers(*source));
}

fn hunt_beside_writers(source: Source) {
    let Some((loaded, globals)) = loaded_as(source) else { return };
    if !host::has_cpus(2) {
        return;
    }
    let shared: Shared<Seq<Block>, ReadOnly> = globals.var("shared").unwrap().bind().unwrap();
    let reads = times(300_000, 100_000_000);
    let (runs, (torn, none, last)) = on_all_cpus(&loaded, "write_shared", || {
        let (mut torn, mut none, mut last, mut number) = (0_u64, 0_u64, 0, 0);
        // Until enough was read, and beside writers.
        while number < reads || last < 10_000 {
            number += 1;
            match shared.view().read() {
                Ok(block) => {
                    torn += u64::from(!block.is_whole());
                    assert!(block.words[0] >= last, "time does not go back");
                    last = block.words[0];
                }
                Err(_) => none += 1,
            }
        }
        (torn, none, last)
    });
    println!("{reads} reads beside {runs} writes: {torn} torn, {none} without a value");
    assert_eq!(torn, 0);
    assert!(last > 0 && none < reads);
    // Nothing that a writer did was lost, and each that was refused has said so.
    let refused = count(&globals, "refused");
    assert_eq!(shared.view().read().unwrap(), Block { words: [runs - refused; 8] });
}

#[test]
fn a_second_writer_is_refused_and_told() {
    let Some((loaded, globals)) = loaded() else { return };
    if !host::has_cpus(2) {
        return;
    }
    let refused = globals.var("refused").unwrap();
    on_all_cpus(&loaded, "write_shared", || host::eventually(|| refused.read().unwrap().as_i128() != Some(0)));
}

/// The control: without the lock the same hunt finds something.
#[test]
fn without_it_reads_are_torn() {
    let Some((loaded, globals)) = loaded() else { return };
    if !host::has_cpus(2) {
        return;
    }
    let plain: Shared<Block, ReadOnly> = globals.var("plain").unwrap().bind().unwrap();
    let (_, torn) = on_all_cpus(&loaded, "write_plain", || (1..100_000_000_u64).find(|_| !plain.read().is_whole()));
    println!("without a lock, read number {torn:?} was torn");
    assert!(torn.is_some());
}

#[test]
fn a_slot_for_each_cpu_is_the_normal_form() {
    SOURCES.iter().for_each(|source| write_slots(*source));
}

fn write_slots(source: Source) {
    let Some((loaded, globals)) = loaded_as(source) else { return };
    let blocks: PerCpu<Seq<Block>, ReadOnly> = globals.var("blocks").unwrap().per_cpu().unwrap();
    let (runs, ()) = on_all_cpus(&loaded, "write_blocks", || {
        for _ in 0..times(100_000, 50_000_000) {
            for block in blocks.iter() {
                assert!(block.read().unwrap().is_whole());
            }
        }
        let written = || blocks.iter().filter(|block| block.read_relaxed().words[0] > 0).count();
        host::eventually(|| written() == host::cpus().len());
    });
    let sum: u64 = blocks.iter().map(|block| block.read().unwrap().words[0]).sum();
    assert_eq!(sum, runs - count(&globals, "refused"));
}

#[test]
fn a_writer_that_is_cut_short_is_noticed_and_made_good() {
    let Some((loaded, globals)) = loaded() else { return };
    let shared: Shared<Seq<Block>> = globals.var("shared").unwrap().bind().unwrap();
    loaded.program("write_shared").run(1);
    assert_eq!(loaded.program("cut_short").run(1), 1);
    let torn = shared.view().read().unwrap_err();
    assert_eq!((torn.begun, torn.ended), (2, 1));
    assert!(torn.to_string().contains("2 came, 1 left, 1 inside"), "{torn}");
    assert!(shared.read().get().is_err());
    assert_eq!(shared.view().read_relaxed().words[..2], [2, 1], "half done");
    // No other writer gets in.
    assert_eq!(loaded.program("write_shared").run(1), 0);
    assert_eq!(count(&globals, "refused"), 1);
    let torn = shared.view().update(|block| block.words[0] += 1).unwrap_err();
    assert!(matches!(torn, Error::Torn { .. }), "{torn:?}");
    shared.view().write(Block { words: [8; 8] }).unwrap();
    assert_eq!(shared.view().read().unwrap(), Block { words: [8; 8] });
    assert_eq!(loaded.program("write_shared").run(1), 1);
    assert_eq!(shared.view().read().unwrap(), Block { words: [9; 8] });
    // The same by the value's own words.
    assert_eq!(loaded.program("cut_short").run(1), 1);
    shared.write(Seq::new(Block { words: [3; 8] }));
    assert_eq!(shared.view().read().unwrap(), Block { words: [3; 8] });
}

#[test]
fn programs_read_what_user_space_writes() {
    SOURCES.iter().for_each(|source| write_beside_readers(*source));
}

fn write_beside_readers(source: Source) {
    let Some((loaded, globals)) = loaded_as(source) else { return };
    let settings: Shared<Seq<Config>> = globals.var("settings").unwrap().bind().unwrap();
    let writes = times(200_000, 20_000_000);
    settings.view().write(Config::of(0)).unwrap();
    let (_, ()) = on_all_cpus(&loaded, "read_settings", || {
        for number in 1..=writes {
            settings.view().write(Config::of(number)).unwrap();
        }
    });
    let (torn, unread, runs) = (count(&globals, "torn_settings"), count(&globals, "unread"), count(&globals, "runs"));
    println!("{runs} runs beside {writes} writes: {torn} torn, {unread} could not read");
    assert_eq!(torn, 0);
    assert!(unread < runs);
    assert_eq!(loaded.program("read_settings").run(1), writes as u32);
}

#[test]
fn threads_that_write_take_turns() {
    let Some((_loaded, globals)) = loaded() else { return };
    let settings: Shared<Seq<Config>> = globals.var("settings").unwrap().bind().unwrap();
    settings.view().write(Config::default()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    settings.view().update(|config| *config = Config::of(config.rate + 1)).unwrap();
                }
            });
        }
    });
    assert_eq!(settings.view().read().unwrap(), Config::of(2000), "no update is lost");
    let within = settings.view().update(|_| {
        let error = settings.view().write(Config::default()).unwrap_err();
        assert!(matches!(error, Error::Busy { holder: Holder::ThisThread, .. }), "{error:?}");
    });
    within.unwrap();
}

/// Kills writers at any moment: what is read is never torn, and the next one goes on.
#[test]
fn a_killed_writer_leaves_nothing_torn() {
    // The child: writes until it is killed.
    if let Some(id) = host::argument() {
        let globals = bpfvar::Globals::by_id(id.parse().unwrap()).unwrap();
        let settings: Shared<Seq<Config>> = globals.var("settings").unwrap().bind().unwrap();
        let start = settings.view().read().map_or(0, |config| config.rate);
        println!("ready");
        for number in start.. {
            // In the debug build a write takes long enough to be killed in the middle.
            settings.view().write(Config::of(number)).unwrap();
        }
    }
    let Some((loaded, globals)) = loaded() else { return };
    let settings: Shared<Seq<Config>, ReadWrite> = globals.var("settings").unwrap().bind().unwrap();
    settings.view().write(Config::default()).unwrap();
    let id = loaded.program("read_config").id().to_string();
    let kills = times(20, 1000);
    let (mut half_done, mut held) = (0, 0);
    for kill in 0..kills {
        let mut child = host::this_test_command(&id).stdout(Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 1];
        let mut out = child.stdout.take().unwrap();
        // libtest writes a line or two before the test does.
        let mut seen = Vec::new();
        while !seen.ends_with(b"ready\n") {
            out.read_exact(&mut ready).unwrap();
            seen.extend(ready);
        }
        thread::sleep(Duration::from_micros(kill * 37 % 2000));
        child.kill().unwrap();
        child.wait().unwrap();
        let raw = globals.var("settings.bpfvar_seq.writer").unwrap().read().unwrap();
        held += u32::from(raw.as_i128() != Some(0));
        match settings.view().read() {
            Ok(config) => assert_eq!(config, Config::of(config.rate)),
            Err(_) => {
                half_done += 1;
                let error = settings.view().update(|config| config.rate += 1).unwrap_err();
                assert!(matches!(error, Error::Torn { .. }), "{error:?}");
            }
        }
        settings.view().write(Config::of(kill)).unwrap();
        assert_eq!(settings.view().read().unwrap(), Config::of(kill));
    }
    println!("{kills} writers killed: {held} held the lock, {half_done} were in the middle");
}
