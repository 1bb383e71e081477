//! Runs of values: bounds, ranges, bulk copies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, ReadWrite, Slice};

fn numbered(entries: u32) -> Array<u16> {
    let array = Array::in_process(entries);
    let values: Vec<u16> = (0..entries as u16).collect();
    array.copy_from(&values);
    array
}

fn panic_of(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    panic.downcast_ref::<String>().expect("a formatted message").clone()
}

#[test]
fn ranges_are_those_of_slices() {
    let array = numbered(10);
    assert_eq!(array.range(2..5).snapshot(), [2, 3, 4]);
    assert_eq!(array.range(8..).snapshot(), [8, 9]);
    assert_eq!(array.range(..=1).snapshot(), [0, 1]);
    assert_eq!(array.range(..).len(), 10);
    assert!(array.range(10..).is_empty());
    assert_eq!(array.range(2..8).range(1..3).range(1..).snapshot(), [4]);
    use std::ops::Bound::{Excluded, Unbounded};
    assert_eq!(array.range((Excluded(7), Unbounded)).snapshot(), [8, 9]);
}

#[test]
fn out_of_bounds_panics_and_says_what_there_is() {
    let array = numbered(10);
    let cases: [(&str, &dyn Fn()); 9] = [
        ("index 10 is out of bounds: there are 10 values", &|| _ = array.at(10).load(Relaxed)),
        ("index 18446744073709551615 is out of bounds: there are 10 values", &|| _ = array.read(usize::MAX)),
        ("index 3 is out of bounds: there are 3 values", &|| array.range(2..5).write(3, 0)),
        ("range 4..11 is out of bounds: there are 10 values", &|| _ = array.range(4..11).len()),
        ("range 11..10 is out of bounds: there are 10 values", &|| _ = array.range(11..).len()),
        ("range 0..18446744073709551615 is out of bounds: there are 10 values", &|| {
            _ = array.range(..=usize::MAX).len()
        }),
        ("range 7..3 is out of bounds: there are 10 values", &|| {
            let (start, end) = (7, 3);
            _ = array.range(start..end).len();
        }),
        ("a slice of 9 values was given, but there are 10", &|| array.copy_to(&mut [0; 9])),
        ("a slice of 11 values was given, but there are 10", &|| array.copy_from(&[0; 11])),
    ];
    for (message, work) in cases {
        assert_eq!(panic_of(work), message);
    }
    assert_eq!(array.snapshot(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], "nothing was half done");
    assert!(array.get(9).is_some() && array.get(10).is_none() && array.get(usize::MAX).is_none());
}

#[test]
fn bulk_copies_reach_their_range_and_no_further() {
    let array = numbered(10);
    array.range(3..5).fill(77);
    array.range(7..9).copy_from(&[70, 80]);
    assert_eq!(array.snapshot(), [0, 1, 2, 77, 77, 5, 6, 70, 80, 9]);
    let mut values = [0; 4];
    array.range(6..).copy_to(&mut values);
    assert_eq!(values, [6, 70, 80, 9]);
}

#[test]
fn large_values_are_copied_in_place() {
    const LARGE: usize = 1 << 15;
    let array = Array::<[u64; LARGE]>::in_process(2);
    array.at(1).at(LARGE - 1).store(5, Relaxed);
    let mut values = vec![[1; LARGE]; 2];
    std::thread::scope(|scope| {
        // Half of what a value on the stack would take.
        let thread = std::thread::Builder::new().stack_size(LARGE * 8 / 2);
        thread.spawn_scoped(scope, || array.copy_to(&mut values)).unwrap().join().unwrap();
    });
    assert_eq!((values[0][0], values[1][LARGE - 1]), (0, 5));
}

#[test]
fn iterators_go_both_ways_and_know_their_length() {
    let array = numbered(5);
    let mut iter = array.iter();
    assert_eq!(iter.len(), 5);
    assert_eq!(iter.next().unwrap().read(), 0);
    assert_eq!(iter.next_back().unwrap().read(), 4);
    assert_eq!(iter.nth(1).unwrap().read(), 2);
    assert_eq!(iter.len(), 1);
    assert_eq!(iter.clone().map(|value| value.read()).collect::<Vec<_>>(), [3]);
    assert!(iter.nth(1).is_none() && iter.next().is_none());
    let mut doubled = 0;
    for value in &array {
        doubled += 2 * value.read();
    }
    assert_eq!(doubled, 20);
}

#[test]
fn sums_are_wide_and_wrap() {
    let array = Array::<[i8; 2]>::in_process(3);
    array.fill([-100, 100]);
    assert_eq!(array.sum(|value| value.at(0)), -300_i64);
    let wide = Array::<u64>::in_process(2);
    wide.fill(u64::MAX);
    assert_eq!(wide.sum(|value| value), u64::MAX - 1);
}

#[test]
fn one_scalar_of_every_value_is_loaded() {
    let array = Array::<[i16; 3]>::in_process(5);
    array.copy_from(&[[0, 1, 2], [10, 11, 12], [20, 21, 22], [30, 31, 32], [40, 41, 42]]);
    assert_eq!(array.load_each(|value| value.at(1)), [1, 11, 21, 31, 41]);
    let mut seconds = [0; 2];
    array.range(2..4).load_each_to(&mut seconds, |value| value.at(2));
    assert_eq!(seconds, [22, 32]);
    let message = panic_of(|| array.load_each_to(&mut [0; 4], |value| value.at(0)));
    assert_eq!(message, "a slice of 4 values was given, but there are 5");
}

#[test]
fn elements_of_an_array_inside_a_value_are_packed() {
    let array = Array::<[[u16; 3]; 2]>::in_process(2);
    array.write(1, [[1, 2, 3], [4, 5, 6]]);
    let inner: Slice<'_, [u16; 3], ReadWrite, false> = array.at(1).slice();
    assert_eq!(inner.at(1).slice().snapshot(), [4, 5, 6]);
    let all: Slice<'_, [[u16; 3]; 2], ReadWrite> = array.slice();
    assert_eq!(format!("{all:?}"), "[[[0, 0, 0], [0, 0, 0]], [[1, 2, 3], [4, 5, 6]]]");
    assert!(array.at(1).get(2).is_none());
    assert_eq!(panic_of(|| _ = array.at(0).at(2)), "index 2 is out of bounds: there are 2 values");
}

#[test]
fn an_array_without_values_is_empty() {
    let array = Array::<u64>::in_process(0);
    assert!(array.is_empty() && array.get(0).is_none() && array.snapshot().is_empty());
    assert_eq!(array.sum(|value| value), 0);
    array.fill(1);
    array.copy_to(&mut []);
}
