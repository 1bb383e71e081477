//! How much memory hostile BTF can take: the peak is counted, and is a multiple of the BTF's own length. A program of its own, for it
//! replaces the allocator. Whatever is given ends, too: a walk without end would take all memory, or be seen by who waits for it.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bpfvar::Btf;
use bpfvar_testkit::Types;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// One test at a time, so that nobody else allocates.
static TURN: Mutex<()> = Mutex::new(());

// SAFETY: all is passed on to System.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// So many times its own length BTF may take while it is parsed, and so many bytes whatever its length.
const TIMES: usize = 32;
const ALWAYS: usize = 1 << 16;

/// Parses the types, sees that the bound holds, and gives what parsing gave.
fn parse(types: &Types) -> Result<Btf, String> {
    let bytes = types.bytes();
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let parsed = Btf::parse(&bytes).map_err(|error| error.to_string());
    let taken = PEAK.load(Relaxed) - before;
    println!("{} bytes of BTF took {taken}", bytes.len());
    assert!(taken <= TIMES * bytes.len() + ALWAYS, "{} bytes of BTF took {taken}: {:?}", bytes.len(), parsed.err());
    parsed
}

/// Such types are an error with this in it.
fn refused(types: &Types, reason: &str) {
    let error = parse(types).unwrap_err();
    assert!(error.contains(reason) && error.len() < 1000, "{error}");
}

#[test]
fn a_million_types_take_their_share() {
    let _turn = TURN.lock();
    let mut types = Types::default();
    let word = types.int("u32", 4);
    let name = types.string("number_t");
    for _ in 1..1_000_000 {
        types.add(&[name, 8 << 24, word]);
    }
    assert_eq!(parse(&types).unwrap().types().count(), 1_000_000);
    // As many things as records can hold.
    let mut types = Types::default();
    let word = types.int("u32", 4);
    let name = types.string("m");
    let members = [name, word, 0].repeat(10_000);
    for _ in 0..100 {
        types.add(&[&[name, 5 << 24 | 10_000, 4], &members[..]].concat());
    }
    for (kind, record) in [(6, vec![name, 1]), (13, vec![0, word]), (19, vec![name, 1, 0])] {
        types.add(&[&[0, kind << 24 | 0xffff, 4], &record.repeat(0xffff)[..]].concat());
    }
    parse(&types).unwrap();
}

#[test]
fn one_long_name_for_many_types_is_refused() {
    let _turn = TURN.lock();
    for (byte, kind) in [("x", 8), ("\x01", 8), ("\u{fffd}", 10), ("x", 5)] {
        let mut types = Types::default();
        let word = types.int("u32", 4);
        let name = types.string(&byte.repeat(512 / byte.len()));
        for _ in 1..300_000 {
            let record = if kind == 5 { [name, 5 << 24, 0] } else { [name, kind << 24, word] };
            types.add(&record);
        }
        refused(&types, "names of more than 57");
    }
}

#[test]
fn depth_without_end_is_refused() {
    let _turn = TURN.lock();
    // The outermost first and last: wherever the walk starts.
    for forwards in [true, false] {
        let mut chain = Types::default();
        let mut nested = Types::default();
        let mut arrays = Types::default();
        for id in 1..=100_000 {
            let next = if forwards { id + 1 } else { id - 1 };
            chain.around(8, "t", next);
            arrays.array(next, 1);
            if id <= 10_000 {
                nested.structure(4, "s", 4, &[("m", next, 0)]);
            }
        }
        for types in [&mut chain, &mut nested, &mut arrays] {
            types.int("u32", 4);
            refused(types, "nested too deeply");
        }
    }
}

#[test]
fn products_that_overflow_are_refused() {
    let _turn = TURN.lock();
    for len in [2, 1 << 16, u32::MAX] {
        let mut types = Types::default();
        let mut of = types.int("u64", 8);
        for _ in 0..60 {
            of = types.array(of, len);
        }
        refused(&types, "too great a one");
    }
    // Nothing times anything is nothing.
    let mut types = Types::default();
    let word = types.int("u64", 8);
    let none = types.array(word, 0);
    types.array(none, u32::MAX);
    parse(&types).unwrap();
}

#[test]
fn circles_are_refused_but_for_pointers() {
    let _turn = TURN.lock();
    for kind in [8, 9, 10, 11, 14, 18] {
        let mut types = Types::default();
        types.add(&[0, kind << 24, 2, 1][..if kind == 14 { 4 } else { 3 }]);
        types.add(&[0, kind << 24, 1, 1][..if kind == 14 { 4 } else { 3 }]);
        refused(&types, "contains itself");
    }
    let mut types = Types::default();
    types.array(1, 1);
    refused(&types, "contains itself");
    let mut types = Types::default();
    types.structure(4, "a", 4, &[("b", 2, 0)]);
    types.structure(5, "b", 4, &[("a", 1, 0)]);
    refused(&types, "contains itself");
    let mut types = Types::default();
    types.section(".bss", 4, &[(1, 0)]);
    refused(&types, "a section in a section");
    // A list, and a function that returns itself.
    let mut types = Types::default();
    types.structure(4, "list", 8, &[("next", 2, 0)]);
    types.around(2, "", 1);
    types.add(&[0, 13 << 24, 4]);
    types.around(2, "", 3);
    let btf = parse(&types).unwrap();
    assert!(btf.types().all(|ty| ty.declaration("x").len() < 200));
}
