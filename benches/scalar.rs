//! One value at a time: through a view, by a raw pointer, and by system call.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bpfvar::{Array, Map, MapValue, Result};
use criterion::Bencher;
use memmap2::MmapRaw;

mod support;

use support::comparison::Bench;
use support::raw;

const ENTRIES: u32 = 256;
/// The entry that is accessed.
static KEY: u32 = 77;
const _: () = assert!(KEY < ENTRIES);

const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;

/// 64 bytes in eight scalars.
#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Flow {
    packets: u64,
    bytes: u64,
    drops: u64,
    last_seen: u64,
    by_size: [u64; 4],
}

static FLOW: Flow = Flow { packets: 1, bytes: 2, drops: 3, last_seen: 4, by_size: [5, 6, 7, 8] };

fn main() {
    Bench::run("One value", |bench| {
        let counters = Values::<u64>::create("counters")?;
        store(bench, &counters);
        load(bench, &counters);
        fetch_add(bench, &counters);
        let flows = Values::<Flow>::create("flows")?;
        write(bench, &flows);
        read(bench, &flows);
        Ok(())
    });
}

fn store(bench: &mut Bench, counters: &Values<u64>) {
    let &Values { ref array, first, .. } = counters;
    let (map, mut call) = counters.by_call();
    bench
        .operation("store a u64")
        .limit("raw pointer", |b| {
            // SAFETY: inside the mapping (see `Values::first`), which only this thread accesses.
            eights(b, move || unsafe { first.wrapping_add(index()).write_volatile(black_box(7)) });
        })
        .subject("Array", |b| eights(b, || array.at(index()).store(black_box(7), Relaxed)))
        .subject("Map::update", |b| b.iter(|| map.update(black_box(KEY), black_box(&[7; 8]))))
        .call("BPF_MAP_UPDATE_ELEM", |b| b.iter(|| call.update()))
        .measure();
}

fn load(bench: &mut Bench, counters: &Values<u64>) {
    let &Values { ref array, first, .. } = counters;
    let (map, mut call) = counters.by_call();
    bench
        .operation("load a u64")
        .limit("raw pointer", |b| {
            // SAFETY: inside the mapping (see `Values::first`), which only this thread accesses.
            eights(b, move || unsafe { first.wrapping_add(index()).read_volatile() });
        })
        .subject("Array", |b| eights(b, || array.at(index()).load(Relaxed)))
        .subject("Map::lookup", |b| b.iter(|| lookup::<8>(map)))
        .call("BPF_MAP_LOOKUP_ELEM", |b| b.iter(|| call.lookup()))
        .measure();
}

fn fetch_add(bench: &mut Bench, counters: &Values<u64>) {
    let &Values { ref array, first, .. } = counters;
    let (map, mut call) = counters.by_call();
    bench
        .operation("add to a u64")
        .limit("raw pointer", |b| {
            eights(b, move || {
                // SAFETY: inside the mapping (see `Values::first`), aligned, and accessed by nothing else for so long.
                let atomic = unsafe { AtomicU64::from_ptr(first.wrapping_add(index())) };
                atomic.fetch_add(black_box(1), Relaxed)
            });
        })
        .subject("Array", |b| eights(b, || array.at(index()).fetch_add(black_box(1), Relaxed)))
        .subject("Map::lookup, update", |b| {
            b.iter(|| map.update(black_box(KEY), &incremented(lookup(map))));
        })
        .call("BPF_MAP_LOOKUP_ELEM, UPDATE", |b| {
            b.iter(|| {
                call.lookup();
                let value = call.value[..].try_into().expect("8 bytes");
                call.value.copy_from_slice(&incremented(value));
                call.update();
            });
        })
        .measure();
}

fn write(bench: &mut Bench, flows: &Values<Flow>) {
    let &Values { ref array, first, .. } = flows;
    let (map, mut call) = flows.by_call();
    bench
        .operation("write 64 bytes")
        .limit("raw pointer", |b| {
            // SAFETY: inside the mapping (see `Values::first`), which only this thread accesses.
            eights(b, move || unsafe { first.wrapping_add(index()).write_volatile(*black_box(&FLOW)) });
        })
        .subject("Array", |b| eights(b, || array.at(index()).write(*black_box(&FLOW))))
        .subject("Map::update", |b| b.iter(|| map.update(black_box(KEY), black_box(&[7; 64]))))
        .call("BPF_MAP_UPDATE_ELEM", |b| b.iter(|| call.update()))
        .measure();
}

fn read(bench: &mut Bench, flows: &Values<Flow>) {
    let &Values { ref array, first, .. } = flows;
    let (map, mut call) = flows.by_call();
    bench
        .operation("read 64 bytes")
        .limit("raw pointer", |b| {
            // SAFETY: inside the mapping (see `Values::first`), which only this thread accesses.
            eights(b, move || unsafe { first.wrapping_add(index()).read_volatile() });
        })
        .subject("Array", |b| eights(b, || array.at(index()).read()))
        .subject("Map::lookup", |b| b.iter(|| lookup::<64>(map)))
        .call("BPF_MAP_LOOKUP_ELEM", |b| b.iter(|| call.lookup()))
        .measure();
}

/// `Bencher::iter` for what is over within a cycle or two: eight to a round, as the loop would be a part of it, and where the
/// loop happens to be aligned.
fn eights<R>(bencher: &mut Bencher<'_>, routine: impl Fn() -> R + Copy) {
    #[inline(never)]
    fn time<R>(iterations: u64, routine: impl Fn() -> R) -> Duration {
        let start = Instant::now();
        for _ in 0..iterations / 8 {
            for _ in 0..8 {
                black_box(routine());
            }
        }
        for _ in 0..iterations % 8 {
            black_box(routine());
        }
        start.elapsed()
    }
    bencher.iter_custom(|iterations| time(iterations, routine));
}

/// The compiler is kept from knowing it.
#[inline(always)]
fn index() -> usize {
    black_box(KEY as usize)
}

fn lookup<const N: usize>(map: &Map) -> [u8; N] {
    let mut value = [0; N];
    map.lookup(black_box(KEY), &mut value).expect("an entry of N bytes");
    value
}

fn incremented(value: [u8; 8]) -> [u8; 8] {
    (u64::from_ne_bytes(value) + black_box(1)).to_ne_bytes()
}

/// The values of one map, mapped by the library and once more by hand.
struct Values<T: MapValue> {
    array: Array<T>,
    /// The first of ENTRIES values, of which each is aligned (the stride of both types is their size) and any bytes.
    first: *mut T,
    _mapping: MmapRaw,
}

impl<T: MapValue> Values<T> {
    fn create(name: &str) -> Result<Self> {
        let array = Array::<T>::builder().name(name).entries(ENTRIES).create()?;
        let mapping = raw::map(array.map().expect("a map"), size_of::<T>() * array.len());
        Ok(Values { first: mapping.as_mut_ptr().cast(), _mapping: mapping, array })
    }

    fn by_call(&self) -> (&Map, Call<'_>) {
        let map = self.array.map().expect("a map");
        (map, Call::new(map))
    }
}

/// Lookup and update of one entry by hand, all prepared that can be.
struct Call<'m> {
    attr: Element,
    /// What `attr` points to.
    value: Vec<u8>,
    map: PhantomData<&'m Map>,
}

#[repr(C)]
struct Element {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

impl<'m> Call<'m> {
    /// For an array map.
    fn new(map: &'m Map) -> Self {
        let mut value = vec![0; map.info().value_size as usize];
        let attr = Element {
            map_fd: map.as_fd().as_raw_fd() as u32,
            _pad: 0,
            key: (&raw const KEY).expose_provenance() as u64,
            value: value.as_mut_ptr().expose_provenance() as u64,
            flags: 0,
        };
        Call { attr, value, map: PhantomData }
    }

    fn lookup(&mut self) {
        // SAFETY: `attr` is made for this. The kernel reads the 4 bytes of KEY and writes value_size bytes, which are as
        // many as `value` has.
        unsafe { raw::bpf(BPF_MAP_LOOKUP_ELEM, &mut self.attr) };
    }

    fn update(&mut self) {
        // SAFETY: as in `lookup`, but that the kernel reads `value`.
        unsafe { raw::bpf(BPF_MAP_UPDATE_ELEM, &mut self.attr) };
    }
}
