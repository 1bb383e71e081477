//! Arrays over process memory stand in for those over maps.

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, MapValue, ReadOnly};

#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Config {
    rate: u32,
    on: bool,
    limits: [Limit; 2],
}

#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Limit {
    burst: u64,
    sustained: u16,
}

/// Code under test, as a user of this crate has it: it takes the array that a map gives.
fn switch_on(configs: &Array<Config>, index: usize) {
    let config = configs.at(index);
    config.limits.at(1).sustained.store(9, Relaxed);
    config.on.store(true, Relaxed);
}

#[test]
fn code_that_takes_an_array_is_tested_without_a_kernel() {
    let configs = Array::<Config>::in_process(3);
    assert_eq!(configs.snapshot(), [Config::default(); 3], "zeroed, as a new map is");
    switch_on(&configs, 1);
    let seen = configs.read(1);
    assert!(seen.on);
    assert_eq!(seen.limits, [Limit::default(), Limit { burst: 0, sustained: 9 }]);
    assert_eq!((configs.read(0), configs.read(2)), (Config::default(), Config::default()));
    assert!(configs.map().is_none());
}

#[test]
fn a_reader_shares_the_memory_and_outlives_the_writer() {
    let writer = Array::<Config>::in_process(1);
    let reader: Array<Config, ReadOnly> = writer.read_only().unwrap();
    let second: Array<Config, ReadOnly> = reader.read_only().unwrap();
    writer.at(0).rate.store(5, Relaxed);
    assert_eq!(reader.at(0).rate.load(Relaxed), 5);
    drop((writer, reader));
    assert_eq!(second.read(0).rate, 5);
    assert!(second.into_map().is_none());
}

#[test]
fn freezing_gives_up_writing() {
    let array = Array::<u64>::in_process(2);
    array.write(1, 4);
    let frozen: Array<u64, ReadOnly> = array.freeze().unwrap();
    assert_eq!(frozen.snapshot(), [0, 4]);
}

#[test]
fn an_array_says_what_it_is() {
    let text = format!("{:?}", Array::<u64>::in_process(2));
    assert_eq!(text, r#"Array { map: None, type: "u64", len: 2, writable: true }"#);
}

#[test]
fn arrays_and_views_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let array = Array::<Config>::in_process(1);
    shared(&array);
    shared(&array.at(0));
    shared(&array.at(0).limits);
    shared(&array.slice());
    shared(&array.read_only().unwrap());
}

#[test]
#[should_panic(expected = "address space")]
fn more_than_the_address_space_panics() {
    Array::<[u64; 1 << 40]>::in_process(u32::MAX);
}
