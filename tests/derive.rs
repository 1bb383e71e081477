//! `#[derive(MapValue)]`: what it refuses and how, where it works, and what its views do.
// Of the derive's output too.
#![deny(clippy::all, clippy::pedantic)]

use std::fs::File;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, MapValue, ReadOnly, Zerocopy};

/// The messages are the compiler's too, here those of Rust 1.95. `TRYBUILD=overwrite` writes them anew, to be read.
#[test]
#[cfg_attr(miri, ignore = "runs cargo")]
fn what_cannot_lie_in_a_map_is_refused_where_it_stands_with_the_reason() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
#[cfg_attr(miri, ignore = "runs cargo")]
fn the_derive_works_in_any_surroundings() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Scalars {
    u8: u8,
    i64: i64,
    bool: bool,
    u16: u16,
    f32: f32,
    i8: i8,
    u64: u64,
    i16: i16,
    f64: f64,
    u32: u32,
    i32: i32,
}

const SCALARS: Scalars = Scalars {
    u8: u8::MAX,
    i64: i64::MIN,
    bool: true,
    u16: u16::MAX - 1,
    f32: f32::MIN_POSITIVE,
    i8: -1,
    u64: u64::MAX - 2,
    i16: i16::MIN,
    f64: -0.5,
    u32: u32::MAX - 3,
    i32: -2,
};

/// Padding in the middle and at the end.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Gaps {
    kind: u8,
    count: u64,
    open: bool,
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Outer {
    first: u16,
    nested: Gaps,
    structs: [Gaps; 3],
    grid: [[u32; 4]; 2],
    mac: Zerocopy<[u8; 6]>,
    point: Point<i16>,
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Point<T>(T, T);

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Hist<const N: usize> {
    buckets: [u64; N],
}

const OPEN: Gaps = Gaps { kind: 1, count: 2, open: true };

const OUTER: Outer = Outer {
    first: 3,
    nested: OPEN,
    structs: [OPEN, Gaps { kind: 4, ..OPEN }, Gaps { count: 5, ..OPEN }],
    grid: [[6, 7, 8, 9], [10, 11, 12, 13]],
    mac: Zerocopy([14, 15, 16, 17, 18, 19]),
    point: Point(20, -21),
};

#[test]
fn a_struct_of_every_scalar_is_read_as_it_was_written() {
    let array = Array::<Scalars>::in_process(1);
    array.at(0).write(SCALARS);
    assert_eq!(array.at(0).read(), SCALARS);
}

#[test]
fn a_struct_of_everything_is_read_as_it_was_written_and_its_neighbours_stay() {
    let array = Array::<Outer>::in_process(3);
    let zeroed = array.read(0);
    array.at(1).write(OUTER);
    assert_eq!(array.at(1).read(), OUTER);
    assert_eq!(array.snapshot(), [zeroed, OUTER, zeroed]);
}

#[test]
fn a_view_has_a_view_of_each_field_at_any_depth() {
    let array = Array::<Outer>::in_process(1);
    let view = array.at(0);
    array.write(0, OUTER);
    assert_eq!(view.first.load(Relaxed), 3);
    assert_eq!(view.nested.count.load(Relaxed), 2);
    assert_eq!(view.structs.at(1).kind.load(Relaxed), 4);
    assert_eq!(view.structs.at(2).read(), OUTER.structs[2]);
    assert_eq!(view.grid.at(1).at(2).load(Relaxed), 12);
    assert_eq!(view.mac.read(), OUTER.mac);
    assert_eq!(view.point.1.load(Relaxed), -21);
}

#[test]
fn what_is_written_to_a_field_changes_that_field_of_the_whole_and_nothing_else() {
    let array = Array::<Outer>::in_process(1);
    let view = array.at(0);
    view.write(OUTER);
    view.nested.open.store(false, Relaxed);
    view.structs.at(1).count.fetch_add(1, Relaxed);
    view.grid.at(0).at(3).store(99, Relaxed);
    view.point.write(Point(1, 1));

    let mut changed = OUTER;
    changed.nested.open = false;
    changed.structs[1].count += 1;
    changed.grid[0][3] = 99;
    changed.point = Point(1, 1);
    assert_eq!(view.read(), changed);
}

#[test]
fn fields_lie_where_repr_c_puts_them() {
    let array = Array::<Gaps>::in_process(2);
    let start = address(array.at(0).kind.as_atomic());
    let second = array.at(1);
    assert_eq!(address(second.kind.as_atomic()), start + SIZE);
    assert_eq!(address(second.count.as_atomic()), start + SIZE + offset_of!(Gaps, count));
}

#[test]
fn types_and_constants_are_parameters() {
    let array = Array::<Point<Hist<4>>>::in_process(1);
    let Point(_, second) = array.at(0).read();
    assert_eq!(second, Hist { buckets: [0; 4] });
    array.at(0).1.buckets.at(3).store(1, Relaxed);
    assert_eq!(array.at(0).1.read().buckets, [0, 0, 0, 1]);
}

#[test]
fn a_struct_may_be_aligned_to_8_bytes() {
    #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
    #[repr(C, align(8))]
    struct Aligned {
        byte: u8,
    }

    #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Row([Aligned; 2]);

    let array = Array::<Row>::in_process(1);
    array.write(0, Row([Aligned { byte: 1 }, Aligned { byte: 2 }]));
    let [first, second] = [0, 1].map(|index| array.at(0).0.at(index).byte);
    assert_eq!([first.read(), second.read()], [1, 2]);
    assert_eq!(address(second.as_atomic()), address(first.as_atomic()) + 8);
}

#[test]
fn a_view_prints_the_values_that_are_there_now_under_the_names_of_the_fields() {
    let array = Array::<Outer>::in_process(1);
    let view = array.at(0);
    array.write(0, OUTER);
    let nested = "GapsView { kind: 1, count: 2, open: true }";
    assert_eq!(
        format!("{view:?}"),
        format!(
            "OuterView {{ first: 3, nested: {nested}, \
             structs: [{nested}, GapsView {{ kind: 4, count: 2, open: true }}, \
             GapsView {{ kind: 1, count: 5, open: true }}], \
             grid: [[6, 7, 8, 9], [10, 11, 12, 13]], mac: [14, 15, 16, 17, 18, 19], point: PointView(20, -21) }}"
        )
    );
    view.point.0.store(0, Relaxed);
    assert_eq!(format!("{:?}", view.point), "PointView(0, -21)");
}

#[test]
fn a_read_only_view_sees_what_is_written_and_prints_it() {
    let array = Array::<Gaps>::in_process(1);
    let read_only: Array<Gaps, ReadOnly> = array.read_only().unwrap();
    let view = read_only.at(0);
    array.at(0).write(OPEN);
    assert_eq!(view.read(), OPEN);
    assert_eq!(view.count.load(Relaxed), 2);
    assert_eq!(format!("{view:?}"), "GapsView { kind: 1, count: 2, open: true }");
}

const SIZE: usize = size_of::<Gaps>();

/// The kernel's way into this process's memory. What it writes is to the views what a BPF program writes.
struct Outside(File);

impl Outside {
    fn new() -> Outside {
        Outside(File::options().read(true).write(true).open("/proc/self/mem").unwrap())
    }

    fn read(&self, address: usize) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        self.0.read_exact_at(&mut bytes, address as u64).unwrap();
        bytes
    }

    fn write(&self, address: usize, bytes: [u8; SIZE]) {
        self.0.write_all_at(&bytes, address as u64).unwrap();
    }
}

fn address<T>(atomic: &T) -> usize {
    std::ptr::from_ref(atomic).expose_provenance()
}

#[test]
#[cfg_attr(miri, ignore = "there is no kernel outside of Miri")]
fn padding_is_not_written() {
    let array = Array::<Gaps>::in_process(1);
    let start = address::<AtomicU8>(array.at(0).kind.as_atomic());
    Outside::new().write(start, [0xA5; SIZE]);
    array.at(0).write(OPEN);

    let mut expected = [0xA5; SIZE];
    expected[offset_of!(Gaps, kind)] = 1;
    expected[offset_of!(Gaps, count)..][..8].copy_from_slice(&2_u64.to_ne_bytes());
    expected[offset_of!(Gaps, open)] = 1;
    assert_eq!(Outside::new().read(start), expected);
}

#[test]
#[cfg_attr(miri, ignore = "there is no kernel outside of Miri")]
fn a_bool_that_is_2_is_true_and_is_written_back_as_1() {
    let array = Array::<Gaps>::in_process(1);
    let start = address::<AtomicU8>(array.at(0).kind.as_atomic());
    let mut bytes = [0; SIZE];
    bytes[offset_of!(Gaps, open)] = 2;
    Outside::new().write(start, bytes);
    assert!(array.at(0).open.load(Relaxed));

    let value = array.at(0).read();
    assert!(value.open);
    array.at(0).write(value);
    assert_eq!(Outside::new().read(start)[offset_of!(Gaps, open)], 1);
}
