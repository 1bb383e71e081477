//! Other processes on the same map.

use std::process::Stdio;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Cause, Map};
use bpfvar_testkit::host;

#[test]
fn two_processes_count_in_one_map() {
    if !host::ready((5, 8)) {
        return;
    }
    const EACH: u64 = 200_000;
    let count = |array: &Array<u64>| {
        let counter = array.at(1);
        for _ in 0..EACH {
            counter.fetch_add(1, Relaxed);
        }
    };
    if let Some(id) = host::argument() {
        let array: Array<u64> = Array::from_id(id.parse().unwrap()).unwrap();
        count(&array);
        return;
    }
    let array = Array::<u64>::builder().entries(2).create().unwrap();
    let id = array.map().unwrap().info().id.to_string();
    let name = std::thread::current().name().unwrap().to_owned();
    let output = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().name(name).spawn_scoped(scope, || host::this_test_again(&id)).unwrap();
        count(&array);
        other.join().unwrap()
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(array.read(1), 2 * EACH);
}

#[test]
fn another_process_that_maps_it_writable_keeps_a_map_from_freezing() {
    use std::io::{Read, Write};
    if !host::ready((5, 8)) {
        return;
    }
    if let Some(id) = host::argument() {
        let array: Array<u64> = Array::from_id(id.parse().unwrap()).unwrap();
        array.write(0, 1);
        // Holds the mapping until standard input ends.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    let id = array.map().unwrap().info().id.to_string();
    let mut other = host::this_test_command(&id).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    while array.at(0).load(Relaxed) == 0 {
        assert!(other.try_wait().unwrap().is_none(), "the other process ended early");
        std::thread::yield_now();
    }
    let failed = array.freeze().unwrap_err();
    assert_eq!(failed.error.cause(), Some(Cause::MappedWritable));
    let mut input = other.stdin.take().unwrap();
    input.write_all(b"enough").unwrap();
    drop(input);
    assert!(other.wait().unwrap().success());
    let array = Array::<u64>::from_map(failed.map).unwrap();
    array.freeze().unwrap();
}

#[test]
fn the_last_mapping_keeps_the_map() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("last").create().unwrap();
    let id = array.map().unwrap().info().id;
    let clone = Map::from_id(id).unwrap();
    drop(array);
    assert_eq!(Map::from_id(id).unwrap().info().name, "last");
    drop(clone);
    host::eventually(|| Map::from_id(id).is_err_and(|error| error.cause() == Some(Cause::NoSuchId)));
}
