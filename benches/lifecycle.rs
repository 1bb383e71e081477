//! Before the first access and after the last: a map is made, opened, mapped and unmapped.
#![allow(unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd};

use bpfvar::{Array, Map, Result};
use bpfvar_testkit::host;

mod support;

use support::comparison::Bench;
use support::raw;

/// Sizes of maps, in pages.
const SIZES: [usize; 4] = [1, 16, 256, 4096];

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_GET_FD_BY_ID: libc::c_long = 14;

fn main() {
    Bench::run("A map's life", |bench| {
        for pages in SIZES {
            create(bench, pages)?;
            open(bench, pages)?;
            attach(bench, pages)?;
        }
        window(bench, SIZES[SIZES.len() - 1])
    });
}

fn create(bench: &mut Bench, pages: usize) -> Result<()> {
    made(pages)?;
    bench
        .operation(format!("create {}", named(pages)))
        .limit("bpf, mmap, munmap, close", |b| b.iter(|| raw::map(made_by_hand(pages), bytes(pages))))
        .subject("Array::builder", |b| b.iter(|| made(pages)))
        .call("BPF_MAP_CREATE, close", |b| b.iter(|| made_by_hand(pages)))
        .measure();
    Ok(())
}

fn open(bench: &mut Bench, pages: usize) -> Result<()> {
    let array = made(pages)?;
    let id = map(&array).info().id;
    Array::<u64>::from_id(id)?;
    bench
        .operation(format!("open {}", named(pages)))
        .limit("bpf, mmap, munmap, close", |b| b.iter(|| raw::map(opened_by_hand(id), bytes(pages))))
        .subject("Array::from_id", |b| b.iter(|| Array::<u64>::from_id(id)))
        .call("BPF_MAP_GET_FD_BY_ID, close", |b| b.iter(|| opened_by_hand(id)))
        .measure();
    Ok(())
}

fn attach(bench: &mut Bench, pages: usize) -> Result<()> {
    let array = made(pages)?;
    let mut ours = Some(map(&array).try_clone()?);
    bench
        .operation(format!("map {}", named(pages)))
        .limit("mmap, munmap", |b| b.iter(|| raw::map(map(&array), bytes(pages))))
        .subject("Array::from_map, into_map", |b| b.iter(|| remap(&mut ours, Array::from_map)))
        .subject("Array::from_borrowed_fd", |b| b.iter(|| Array::<u64>::from_borrowed_fd(map(&array))))
        .measure();
    Ok(())
}

fn window(bench: &mut Bench, pages: usize) -> Result<()> {
    let mut ours = made(pages)?.into_map();
    let theirs = made(pages)?;
    let middle = entries(pages / 2)..entries(pages / 2 + 1);
    bench
        .operation(format!("map 1 page of {pages}"))
        .limit("mmap, munmap", |b| b.iter(|| raw::map(map(&theirs), bytes(1))))
        .subject("Array::from_map_window", |b| {
            b.iter(|| remap(&mut ours, |map| Array::from_map_window(map, middle.clone())));
        })
        .measure();
    Ok(())
}

fn named(pages: usize) -> String {
    match pages {
        1 => "1 page".to_owned(),
        _ => format!("{pages} pages"),
    }
}

fn bytes(pages: usize) -> usize {
    pages * host::page_size()
}

fn entries(pages: usize) -> u32 {
    (bytes(pages) / size_of::<u64>()) as u32
}

fn made(pages: usize) -> Result<Array<u64>> {
    Array::builder().name("lifecycle").entries(entries(pages)).create()
}

fn map(array: &Array<u64>) -> &Map {
    array.map().expect("a map")
}

/// Maps, and gives the map back.
fn remap(map: &mut Option<Map>, open: impl Fn(Map) -> Result<Array<u64>>) {
    let array = open(map.take().expect("the last one gave it back"));
    *map = array.expect("a map that can be mapped").into_map();
}

fn made_by_hand(pages: usize) -> OwnedFd {
    #[repr(C)]
    struct Attr {
        map_type: u32,
        key_size: u32,
        value_size: u32,
        max_entries: u32,
        map_flags: u32,
    }
    const BPF_MAP_TYPE_ARRAY: u32 = 2;
    const BPF_F_MMAPABLE: u32 = 1 << 10;
    let mut attr = Attr {
        map_type: BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 8,
        max_entries: entries(pages),
        map_flags: BPF_F_MMAPABLE,
    };
    // SAFETY: the attributes of this command, with no address in them.
    let fd = unsafe { raw::bpf(BPF_MAP_CREATE, &mut attr) };
    // SAFETY: a new descriptor, which nobody else knows.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn opened_by_hand(id: u32) -> OwnedFd {
    // Id, next id, flags.
    let mut attr = [id, 0, 0];
    // SAFETY: the attributes of this command, with no address in them.
    let fd = unsafe { raw::bpf(BPF_MAP_GET_FD_BY_ID, &mut attr) };
    // SAFETY: a new descriptor, which nobody else knows.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
