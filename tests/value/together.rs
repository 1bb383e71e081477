//! Sequence locks, switches and values for each CPU over process memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use bpfvar::error::Holder;
use bpfvar::{Array, CacheLine, Checked, Error, MapValue, PerCpu, Repr, Run, Seq, Switch};

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Mode {
    Slow,
    Fast,
}

/// With padding, narrow scalars, an array, and a type that is not the number that it is in memory.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    a: u64,
    mode: Checked<Mode>,
    b: u16,
    c: [u32; 3],
}

impl Mixed {
    fn of(number: u32) -> Mixed {
        let mode = if number % 2 == 0 { Mode::Slow } else { Mode::Fast };
        Mixed { a: number.into(), mode: mode.into(), b: number as u16, c: [number; 3] }
    }

    fn is_whole(&self) -> bool {
        *self == Mixed::of(self.a as u32)
    }
}

#[test]
fn layouts_are_those_of_the_header() {
    assert_eq!((size_of::<Seq<u64>>(), align_of::<Seq<u64>>()), (32, 8));
    assert_eq!(size_of::<Seq<[u64; 5]>>(), 64);
    assert_eq!(size_of::<Switch<u64>>(), 40);
    assert_eq!(size_of::<Switch<Mixed>>(), 24 + 2 * size_of::<Mixed>());
    assert_eq!((size_of::<CacheLine<[u64; 9]>>(), align_of::<CacheLine<u8>>()), (128, 64));
    // In memory: begin, end, writer, value.
    let array = Array::<Seq<u64>>::in_process(1);
    array.at(0).write(7).unwrap();
    let copy = array.read(0);
    assert_eq!((copy.sequence(), copy.get(), copy.into_relaxed()), (1, Ok(7), 7));
    assert_eq!(Switch::new(3_u32).into_current(), 3);
    assert_eq!(Switch::new(3_u32).version(), 0);
}

#[test]
fn a_sequence_lock_is_read_whole_while_threads_write() {
    let array = Array::<Seq<Mixed>>::in_process(2);
    array.fill(Seq::new(Mixed::of(0)));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..300 {
                        array.at(1).update(|value| *value = Mixed::of(value.a as u32 + 1)).unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Relaxed) {
                // Or it says that it is torn: if a writer is preempted in the middle for longer than a reader tries.
                let snapshot = array.snapshot().into_iter().map(Seq::get);
                let whole: Vec<Mixed> = snapshot.chain([array.at(1).read()]).flatten().collect();
                assert!(!whole.is_empty(), "nobody writes the first");
                assert!(whole.iter().all(Mixed::is_whole));
                thread::yield_now();
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Relaxed);
    });
    assert_eq!(array.at(1).read(), Ok(Mixed::of(600)));
    assert_eq!(array.at(1).relaxed().b.load(Relaxed), 600);
    assert_eq!(array.at(0).read_relaxed(), Mixed::of(0));
}

#[test]
fn a_writer_that_fails_leaves_nothing_behind() {
    let array = Array::<Seq<[u64; 2]>>::in_process(1);
    array.write(0, Seq::new([1, 0]));
    let within = array.at(0).update(|_| {
        let error = array.at(0).update(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Busy { holder: Holder::ThisThread, .. }), "{error:?}");
    });
    within.unwrap();
    let panics = std::panic::AssertUnwindSafe(|| array.at(0).update(|_| panic!("on purpose")));
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(array.at(0).read(), Ok([1, 0]), "nothing is changed, and nobody is inside");
    array.at(0).write([2, 2]).unwrap();
    assert_eq!(array.at(0).read(), Ok([2, 2]));
}

/// A value whose second half cannot be written.
#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Halves {
    first: u64,
    second: Unwritable,
}

#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
struct Unwritable(u64);

impl MapValue for Unwritable {
    type View<'m, A: bpfvar::Access> = ();

    fn view<A: bpfvar::Access>(_: bpfvar::Field<'_, Self, A>) {}

    fn read_from<A: bpfvar::Access>(_: bpfvar::Field<'_, Self, A>) -> Self {
        Unwritable(0)
    }

    fn write_to(_: bpfvar::Field<'_, Self, bpfvar::ReadWrite>, _: &Self) {
        panic!("half way");
    }
}

#[test]
fn a_write_that_panics_half_way_is_no_value() {
    let array = Array::<Seq<Halves>>::in_process(1);
    let half = std::panic::AssertUnwindSafe(|| array.at(0).write(Halves { first: 1, second: Unwritable(1) }));
    assert!(std::panic::catch_unwind(half).is_err());
    assert!(array.at(0).read().is_err(), "half of it is new");
    assert_eq!(array.at(0).read_relaxed().first, 1);
}

#[test]
fn a_run_sees_one_version_of_a_switch() {
    let array = Array::<Switch<Mixed>>::in_process(1);
    array.write(0, Switch::new(Mixed::of(0)));
    let (done, runs) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    let run = Run::begin();
                    let current = run.current(array.at(0));
                    let number = current.a.load(Relaxed);
                    thread::yield_now();
                    assert_eq!(current.read(), Mixed::of(number as u32));
                    runs.fetch_add(1, Relaxed);
                }
            });
        }
        let switch = array.switch(0).unwrap();
        // Until the programs have run often enough to have met a switch.
        let mut number = 0;
        while number < 200 || runs.load(Relaxed) < 200 {
            number += 1;
            assert_eq!(switch.update(|value| *value = Mixed::of(number)).unwrap(), u64::from(number));
            assert_eq!(array.at(0).read(), Ok(Mixed::of(number)));
        }
        // It waits for those runs only that began before.
        let run = Run::begin();
        switch.publish(|value| *value = Mixed::of(number + 1)).unwrap();
        assert_eq!(
            run.current(array.at(0)).read(),
            Mixed::of(number + 1),
            "a second look in a run gives the next version"
        );
        drop(run);
        switch.settle().unwrap();
        done.store(true, Relaxed);
    });
    let run = Run::begin();
    assert_eq!(format!("{:?}", array.at(0)), format!("{:?}", run.current(array.at(0))));
}

#[test]
fn each_cpu_has_lines_of_its_own() {
    let counters = PerCpu::<[u64; 2]>::in_process(4);
    assert_eq!(counters.len(), 4);
    for (cpu, counter) in counters.iter().enumerate() {
        counter.at(1).store(cpu as u64, Relaxed);
    }
    assert_eq!(counters.sum(|counter| counter.at(1)), 6);
    let third = counters.share(3);
    drop(counters);
    assert_eq!(third.read(), [0, 3], "it holds the memory");
}
