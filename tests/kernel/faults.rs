//! What goes wrong around the memory: nothing is left, nothing is there any more, somebody comes in between.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bpfvar::{Array, Cause, Map, ReadOnly};
use bpfvar_testkit::{faults, host};

#[test]
fn rounds_of_creating_opening_and_dropping_leave_nothing() {
    if !host::alone((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let rounds = if std::env::var_os("BPFVAR_HUNT").is_some() { 100_000 } else { 1_000 };
    let round = |number: u32| {
        let array = Array::<u64>::builder().name("round").entries(4000).create().unwrap();
        let map = array.map().unwrap();
        let path = bpffs.path(&format!("m{number}"));
        map.pin(&path).unwrap();
        let again: Array<u64, ReadOnly> = Array::from_id(map.info().id).unwrap();
        let shared = Array::<u64>::from_pin(&path).unwrap().share(7);
        shared.view().store(u64::from(number), Relaxed);
        assert_eq!(again.read(7), u64::from(number));
        let window = Array::<u64>::from_map_window(map.try_clone().unwrap(), 3000..3010).unwrap();
        window.write(0, 1);
        // What fails must not leave anything either.
        assert!(Array::<[u64; 2]>::from_borrowed_fd(map).is_err());
        map.pin(&path).unwrap_err();
        map.unpin(&path).unwrap();
        if number % 4 == 0 {
            drop((again, window, shared));
            array.freeze().unwrap();
        }
    };
    round(0);
    let before = faults::holds();
    assert_eq!(before.1, 0, "no mapping is left of the first round");
    (1..=rounds).for_each(round);
    assert_eq!(faults::holds(), before, "descriptors and mappings after {rounds} rounds");
    println!("{rounds} rounds, then {before:?} descriptors and mappings");
    // What is counted is seen.
    let _array = Array::<u64>::builder().create().unwrap();
    assert_eq!(faults::holds(), (before.0 + 1, 1));
}

#[test]
fn without_address_space_nothing_is_mapped_and_the_map_is_as_before() {
    if !host::alone((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(1 << 20).entries(64).create().unwrap();
    let id = map.info().id;
    faults::limit_address_space(16 << 20);
    let before = faults::holds();
    let error = Array::<[u8; 1 << 20]>::from_map(map).unwrap_err();
    assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::OutOfMemory), Some(libc::ENOMEM)), "{error}");
    assert_eq!(faults::holds().1, 0);
    host::eventually(|| faults::holds().0 < before.0 || Map::from_id(id).is_err());
    // A part of it fits.
    let map = Map::builder().value_size(1 << 20).entries(64).create().unwrap();
    let window = Array::<[u8; 1 << 20]>::from_map_window(map, 60..62).unwrap();
    window.at(1).at(0).store(1, Relaxed);
    assert_eq!(window.at(1).at(0).load(Relaxed), 1);
}

#[test]
fn signals_in_the_middle_of_copies_change_nothing() {
    if !host::alone((5, 8)) {
        return;
    }
    const LEN: usize = 1 << 16;
    let array = Array::<[u64; 8]>::builder().entries(LEN as u32).create().unwrap();
    let values: Vec<[u64; 8]> = (0..LEN as u64).map(|index| [index; 8]).collect();
    let (rounds, signals) = faults::under_signals(Duration::from_micros(300), || {
        let mut rounds = 0_u32;
        let mut read = vec![[0; 8]; LEN];
        while rounds < 40 {
            array.copy_from(&values);
            array.copy_to(&mut read);
            assert!(read == values);
            // And of calls, which are not restarted.
            let map = array.map().unwrap();
            let mut bytes = vec![0; 64 * 1000];
            map.lookup_batch(0..1000, &mut bytes).unwrap();
            map.update(5, &bytes[5 * 64..6 * 64]).unwrap();
            assert!(Map::from_id(map.info().id).is_ok());
            rounds += 1;
        }
        rounds
    });
    println!("{signals} signals in {rounds} rounds");
    assert!(signals > 0, "none came");
    assert!(array.snapshot() == values);
}

#[test]
fn a_forked_child_shares_the_memory_and_leaves_it_to_its_parent() {
    if !host::alone((5, 8)) {
        return;
    }
    const EACH: u64 = 300_000;
    let array = Array::<u64>::builder().entries(2).create().unwrap();
    let count = |entry: usize| {
        for _ in 0..EACH {
            array.at(entry).fetch_add(1, Relaxed);
        }
    };
    let there = |_| {
        count(0);
        count(1);
        assert_eq!(array.read(1), EACH);
    };
    let (_, ended_well) = host::fork(there, |_, _| count(0));
    assert!(ended_well);
    assert_eq!(array.snapshot(), [2 * EACH, EACH], "none is lost, and what the child did stays");
    // While a child lives that was forked with the mapping, it is a writable mapping of somebody's.
    let map = array.map().unwrap();
    let there = |mut parent: UnixStream| drop(parent.read(&mut [0]));
    let (error, _) = host::fork(there, |_, _child| map.freeze().unwrap_err());
    assert_eq!(error.cause(), Some(Cause::MappedWritable), "{error}");
    array.freeze().unwrap();
}

#[test]
fn a_map_that_somebody_freezes_is_read_on() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).create().unwrap();
    let reader: Array<u64, ReadOnly> = Array::from_borrowed_fd(&map).unwrap();
    map.update(0, &7_u64.to_ne_bytes()).unwrap();
    map.freeze().unwrap();
    assert_eq!(reader.read(0), 7);
    assert_eq!(map.update(0, &[0; 8]).unwrap_err().cause(), Some(Cause::Frozen));
    let error = Array::<u64>::from_borrowed_fd(&map).unwrap_err();
    assert_eq!(error.cause(), Some(Cause::Frozen), "{error}");
}

#[test]
fn a_pin_that_is_replaced_is_another_map_and_the_old_one_stays_with_its_holder() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let path = bpffs.path("counters");
    let pinned = |value: u64| {
        let array = Array::<u64>::builder().create().unwrap();
        array.write(0, value);
        array.map().unwrap().pin(&path).unwrap();
        array
    };
    drop(pinned(1));
    let old = Array::<u64>::from_pin(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let successor = pinned(2);
    assert_eq!((old.read(0), Array::<u64>::from_pin(&path).unwrap().read(0)), (1, 2));
    old.write(0, 3);
    assert_eq!(successor.read(0), 2, "nothing is written to the successor by the old handle");
    // Nor is the successor's pin taken away by it.
    old.map().unwrap().unpin(&path).unwrap_err();
    assert!(path.exists());
}
