//! Handles over process memory: here the sanitizers and valgrind see whether it lives long enough, and is freed.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Array, Checked, MapValue, ReadOnly, Repr, Shared};

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u16)]
enum Mode {
    Slow = 1,
    Fast = 2,
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Entry {
    packets: u64,
    modes: [Checked<Mode>; 3],
    on: bool,
}

#[test]
fn handles_live_in_any_order() {
    let array = Array::<Entry>::in_process(3);
    let entry = array.share(2);
    let packets: Shared<u64> = entry.project(|entry| entry.view().packets);
    let mode = entry.project(|entry| entry.view().modes.at(1));
    let on: Shared<bool, ReadOnly> = entry.project(|entry| entry.view().on).read_only();
    let read_only = array.read_only().unwrap();
    drop(array);
    packets.fetch_add(7, Relaxed);
    mode.store(Mode::Fast.into(), Relaxed);
    entry.view().on.store(true, Relaxed);
    assert_eq!((read_only.read(2).packets, on.load(Relaxed)), (7, true));
    drop(entry);
    drop(read_only);
    let again = mode.clone();
    drop(mode);
    assert_eq!(again.load(Relaxed), Mode::Fast);
    assert_eq!(again.load(Relaxed).scalar(), 2);
    drop(packets);
    assert_eq!(again.swap(Checked::from_scalar(9), Relaxed).get(), Ok(Mode::Fast));
    assert_eq!((again.read().get(), on.load(Relaxed)), (Err(9), true));
    assert_eq!(format!("{again:?} {on:?}"), "9 (unknown) true");
    assert_ne!(again.load(Relaxed), Mode::Slow);
}

#[test]
fn the_last_handle_frees_the_memory_on_whatever_thread() {
    let array = Array::<u64>::in_process(4);
    let threads: Vec<_> = (0..4)
        .map(|index| {
            let (own, shared) = (array.share(index), array.share(0));
            thread::spawn(move || {
                own.fetch_max(index as u64, Relaxed);
                shared.fetch_add(1, Relaxed)
            })
        })
        .collect();
    let first = array.share(0);
    drop(array);
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() < 4));
    assert_eq!(first.compare_exchange(4, 5, Relaxed, Relaxed), Ok(4));
    assert_eq!(first.fetch_update(Relaxed, Relaxed, |seen| seen.checked_add(1)), Ok(5));
    first.write(8);
    assert_eq!((first.field().read(), first.as_atomic().load(Relaxed)), (8, 8));
}
