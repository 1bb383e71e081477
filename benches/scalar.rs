//! One value at a time: through a view, by a raw pointer, and by system call.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Map, MapValue, Result};
use memmap2::MmapRaw;

mod support;

use support::comparison::{Bench, Operation, eights};
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
        counters.compare(
            bench.operation("store a u64"),
            // SAFETY: `compare` gives a valid pointer.
            |at| unsafe { at.write_volatile(black_box(7)) },
            |array| array.at(index()).store(black_box(7), Relaxed),
            ("Map::update", |map| update(map, black_box([7; 8]))),
            ("BPF_MAP_UPDATE_ELEM", Call::update),
        );
        counters.compare(
            bench.operation("load a u64"),
            // SAFETY: `compare` gives a valid pointer.
            |at| unsafe { at.read_volatile() },
            |array| array.at(index()).load(Relaxed),
            ("Map::lookup", lookup::<8>),
            ("BPF_MAP_LOOKUP_ELEM", Call::lookup),
        );
        counters.compare(
            bench.operation("add to a u64"),
            // SAFETY: `compare` gives a valid pointer, and a u64 in a map is aligned as an atomic is.
            |at| unsafe { AtomicU64::from_ptr(at) }.fetch_add(black_box(1), Relaxed),
            |array| array.at(index()).fetch_add(black_box(1), Relaxed),
            ("Map::lookup, update", |map| update(map, incremented(lookup(map)))),
            ("BPF_MAP_LOOKUP_ELEM, UPDATE", |call| {
                call.lookup();
                let value = call.value[..].try_into().expect("8 bytes");
                call.value.copy_from_slice(&incremented(value));
                call.update();
            }),
        );
        let flows = Values::<Flow>::create("flows")?;
        flows.compare(
            bench.operation("write 64 bytes"),
            // SAFETY: `compare` gives a valid pointer.
            |at| unsafe { at.write_volatile(*black_box(&FLOW)) },
            |array| array.at(index()).write(*black_box(&FLOW)),
            ("Map::update", |map| update(map, black_box([7; 64]))),
            ("BPF_MAP_UPDATE_ELEM", Call::update),
        );
        flows.compare(
            bench.operation("read 64 bytes"),
            // SAFETY: `compare` gives a valid pointer.
            |at| unsafe { at.read_volatile() },
            |array| array.at(index()).read(),
            ("Map::lookup", lookup::<64>),
            ("BPF_MAP_LOOKUP_ELEM", Call::lookup),
        );
        Ok(())
    });
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

fn update<const N: usize>(map: &Map, value: [u8; N]) {
    map.update(black_box(KEY), &value).expect("an entry of N bytes");
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

    /// Compares four ways to access one value. `by_hand` gets a pointer to it that is valid for reads and writes, aligned
    /// and to what nothing else accesses meanwhile.
    fn compare<'s, R, S, M>(
        &'s self,
        operation: Operation<'_>,
        by_hand: impl Fn(*mut T) -> R + Copy,
        by_view: impl Fn(&Array<T>) -> S + Copy,
        (map_name, by_map): (&'static str, impl Fn(&Map) -> M),
        (call_name, by_call): (&'static str, impl Fn(&mut Call<'s>)),
    ) {
        let &Values { ref array, first, .. } = self;
        let map = array.map().expect("a map");
        let mut call = Call::new(map);
        operation
            .limit("raw pointer", |b| eights(b, move || by_hand(first.wrapping_add(index()))))
            .subject("Array", |b| eights(b, || by_view(array)))
            .subject(map_name, |b| b.iter(|| by_map(map)))
            .call(call_name, |b| b.iter(|| by_call(&mut call)))
            .measure();
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
