//! The point of it all: a program counts in one variable while user space changes its neighbour.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread;
use std::time::{Duration, Instant};

use bpfvar::{Array, MapValue};
use bpfvar_testkit::insn::{self, Reg, Size};
use bpfvar_testkit::{Program, host};

/// A program's .bss, as it were.
#[derive(MapValue)]
#[repr(C)]
struct Globals {
    counter: u64,
    setting: u64,
}

const RUNS: u32 = 1_000_000;

/// A program that adds 1 to `counter`.
fn counting(globals: &Array<Globals>) -> Program {
    let mut insns = insn::load_value(Reg::R1, globals.map().unwrap().as_fd(), 0).to_vec();
    insns.extend([
        insn::mov_imm(Reg::R2, 1),
        insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
        insn::mov_imm(Reg::R0, 0),
        insn::exit(),
    ]);
    Program::socket_filter(&insns)
}

/// Runs a program that adds to `counter` while `change` sets `setting`, over and over. Returns how many increments were lost
/// and how often the setting was changed.
fn lost_increments(change: impl Fn(&Array<Globals>, u64) + Sync) -> (u64, u64) {
    let globals = Array::<Globals>::builder().name("count.bss").create().unwrap();
    let program = counting(&globals);
    let (done, changes) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            // At least once more after the program ended, so that the setting is always checked.
            while !done.load(Relaxed) || changes.load(Relaxed) == 0 {
                change(&globals, changes.fetch_add(1, Relaxed) + 1);
            }
        });
        program.run(RUNS);
        done.store(true, Relaxed);
    });
    let seen = globals.read(0);
    assert_eq!(seen.setting, changes.load(Relaxed), "the last change holds");
    (u64::from(RUNS) - seen.counter, seen.setting)
}

/// One moment of the race, made certain: the program counts between the lookup and the update.
#[test]
fn rewriting_the_value_by_system_calls_loses_what_was_counted_meanwhile() {
    if !host::ready((5, 8)) {
        return;
    }
    let globals = Array::<Globals>::builder().name("count.bss").create().unwrap();
    let program = counting(&globals);
    let map = globals.map().unwrap();
    let mut value = [0; 16];
    map.lookup(0, &mut value).unwrap();
    program.run(1000);
    value[8..].copy_from_slice(&7_u64.to_ne_bytes());
    map.update(0, &value).unwrap();
    let seen = globals.read(0);
    assert_eq!((seen.counter, seen.setting), (0, 7), "1,000 increments are lost");
}

/// The race itself, for the figure in the README. How much is lost is the machine's affair, so nothing is asserted of it.
#[test]
fn rewriting_the_value_by_system_calls_in_a_race() {
    if !host::ready((5, 8)) || !host::has_cpus(2) {
        return;
    }
    let (lost, changes) = lost_increments(|globals, setting| {
        let map = globals.map().unwrap();
        let mut value = [0; 16];
        map.lookup(0, &mut value).unwrap();
        value[8..].copy_from_slice(&setting.to_ne_bytes());
        map.update(0, &value).unwrap();
    });
    println!("by system calls: {lost} of {RUNS} increments lost in {changes} changes of the neighbour");
}

#[test]
fn a_store_through_the_mapping_loses_none() {
    if !host::ready((5, 8)) {
        return;
    }
    let (lost, changes) = lost_increments(|globals, setting| globals.at(0).setting.store(setting, Relaxed));
    println!("through the mapping: {lost} of {RUNS} increments lost in {changes} changes of the neighbour");
    assert_eq!(lost, 0);
}

/// One counter, and neighbours of every width in the same cache line.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Crowded {
    all: u64,
    programs: u32,
    threads: u32,
    half: [u16; 2],
    bytes: [u8; 4],
}

/// A program on every CPU and several threads add to one counter and to its neighbours: each total is exact.
#[test]
fn all_cpus_and_threads_count_without_loss() {
    if !host::ready((5, 8)) {
        return;
    }
    let time = Duration::from_secs(if std::env::var_os("BPFVAR_HUNT").is_some() { 60 } else { 1 });
    let array = Array::<Crowded>::builder().name("crowded").create().unwrap();
    let mut insns = insn::load_value(Reg::R1, array.map().unwrap().as_fd(), 0).to_vec();
    insns.extend([
        insn::mov_imm(Reg::R2, 1),
        insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
        insn::atomic_add(Size::W, Reg::R1, 8, Reg::R2),
        insn::mov_imm(Reg::R0, 0),
        insn::exit(),
    ]);
    let program = Program::socket_filter(&insns);
    let end = Instant::now() + time;
    let until_end = |step: &(dyn Fn() -> u64 + Sync)| {
        let mut sum = 0_u64;
        while Instant::now() < end {
            sum += step();
        }
        sum
    };
    let fields = array.at(0);
    let run = || {
        program.run(1000);
        1000
    };
    // Two threads share each narrow field.
    let count = |thread: usize| {
        for _ in 0..1000 {
            fields.all.fetch_add(1, Relaxed);
            fields.threads.fetch_add(1, Relaxed);
            fields.half.at(thread / 2).fetch_add(1, Relaxed);
            fields.bytes.at(thread).fetch_add(1, Relaxed);
        }
        1000
    };
    let (runs, counts) = thread::scope(|scope| {
        let on = |cpu| {
            scope.spawn(move || {
                host::pin_to(cpu);
                until_end(&run)
            })
        };
        let cpus: Vec<_> = host::cpus().into_iter().map(on).collect();
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || until_end(&|| count(thread)))).collect();
        let runs: u64 = cpus.into_iter().map(|thread| thread.join().unwrap()).sum();
        let counts: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        (runs, counts)
    });
    let added: u64 = counts.iter().sum();
    println!("{runs} runs of a program on {} CPUs and {added} rounds of 4 threads", host::cpus().len());
    assert!(runs > 0 && counts.iter().all(|count| *count > 0));
    // The narrow ones wrap.
    let expected = Crowded {
        all: runs + added,
        programs: runs as u32,
        threads: added as u32,
        half: [0, 2].map(|thread| (counts[thread] + counts[thread + 1]) as u16),
        bytes: [0, 1, 2, 3].map(|thread| counts[thread] as u8),
    };
    assert_eq!(array.read(0), expected);
}
