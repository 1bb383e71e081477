//! Values by system call.

use bpfvar::{Cause, Error, Map};
use bpfvar_testkit::host;

fn map() -> Map {
    Map::builder().name("elements").value_size(12).entries(100).create().unwrap()
}

#[test]
fn a_value_comes_back_as_it_was_written() {
    if !host::ready((5, 8)) {
        return;
    }
    for map in [map(), Map::builder().value_size(12).entries(100).unmappable().create().unwrap()] {
        map.update(99, b"twelve bytes").unwrap();
        let mut value = [0; 12];
        map.lookup(99, &mut value).unwrap();
        assert_eq!(&value, b"twelve bytes");
        map.lookup(98, &mut value).unwrap();
        assert_eq!(value, [0; 12]);
    }
}

#[test]
fn batches_start_and_end_where_they_are_told() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = map();
    let values: Vec<u8> = (0..100 * 12).map(|byte| (byte % 251) as u8).collect();
    map.update_batch(0..100, &values).unwrap();
    for range in [0..100, 0..1, 1..2, 37..61, 99..100, 0..0, 100..100] {
        let mut read = vec![0xaa; range.len() * 12];
        map.lookup_batch(range.clone(), &mut read).unwrap();
        assert_eq!(read, values[range.start as usize * 12..range.end as usize * 12], "{range:?}");
    }
    map.update_batch(40..42, &[7; 24]).unwrap();
    let mut read = vec![0; 4 * 12];
    map.lookup_batch(39..43, &mut read).unwrap();
    assert_eq!(read[..12], values[39 * 12..40 * 12]);
    assert_eq!(read[12..36], [7; 24]);
    assert_eq!(read[36..], values[42 * 12..43 * 12]);
}

#[test]
fn keys_and_lengths_are_checked_before_the_call() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = map();
    let mut long = [0; 24];
    let errors = [
        (map.lookup(100, &mut long[..12]), "key"),
        (map.lookup(u32::MAX, &mut long[..12]), "key"),
        (map.lookup(0, &mut long[..11]), "value"),
        (map.lookup(0, &mut long[..13]), "value"),
        (map.lookup(0, &mut []), "value"),
        (map.update(100, &long[..12]), "key"),
        (map.update(0, &long[..8]), "value"),
        (map.lookup_batch(99..101, &mut long), "entries"),
        (map.lookup_batch(0..2, &mut long[..23]), "values"),
        #[expect(clippy::reversed_empty_ranges, reason = "that is the test")]
        (map.lookup_batch(5..4, &mut []), "entries"),
        (map.update_batch(101..101, &[]), "entries"),
        (map.update_batch(0..u32::MAX, &long), "entries"),
        (map.update_batch(0..1, &long), "values"),
    ];
    for (number, (result, expected)) in errors.into_iter().enumerate() {
        match result.unwrap_err() {
            Error::Argument { argument, .. } => assert_eq!(argument, expected, "case {number}"),
            other => panic!("case {number}: {other}"),
        }
    }
    let text = map.update(100, &long[..12]).unwrap_err().to_string();
    assert!(text.contains("key is 100") && text.contains("0..100"), "{text}");
    let text = map.lookup(0, &mut long).unwrap_err().to_string();
    assert!(text.contains("24 bytes long") && text.contains("12 bytes are needed"), "{text}");
}

#[test]
fn a_read_only_descriptor_looks_up_and_no_more() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    map().pin(bpffs.path("m")).unwrap();
    let map = Map::from_pin_read_only(bpffs.path("m")).unwrap();
    let mut value = [1; 12];
    map.lookup(0, &mut value).unwrap();
    assert_eq!(value, [0; 12]);
    let mut refused = vec![map.update(0, &value), map.update_batch(0..1, &value)];
    // Linux 6.5 asks for a descriptor that may write; those before it for CAP_BPF alone.
    let frozen = map.freeze();
    if host::kernel() < (6, 5) {
        frozen.unwrap()
    } else {
        refused.push(frozen)
    }
    for error in refused.into_iter().map(Result::unwrap_err) {
        assert_eq!(
            (error.cause(), error.raw_os_error()),
            (Some(Cause::ReadOnlyDescriptor), Some(libc::EPERM)),
            "{error}"
        );
    }
}
