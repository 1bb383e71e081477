//! All values of a map: copied and added up through the mapping, copied by memcpy, and by system call.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::slice;

use bpfvar::{Array, Map, MapValue, Result};

mod support;

use support::comparison::Bench;
use support::raw;

/// Values of 8 bytes: a cache line, half a KiB, a level-1 cache with its copy, just not, a level-2 cache, 2 MiB.
const LENGTHS: [u32; 6] = [8, 64, 512, 4096, 32768, 262_144];
/// Values of other types: 4 KiB or less, a level-2 cache, more.
const FEWER: [u32; 3] = [64, 1024, 16384];
/// The longest run that is also copied by one system call a value.
const ONE_BY_ONE: u32 = 512;

const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;

/// 12 bytes, of which a map has one every 16.
#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Twelve {
    address: u32,
    packets: u32,
    ports: [u16; 2],
}

/// 64 bytes in eight scalars.
#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Words {
    packets: u64,
    bytes: u64,
    by_size: [u64; 6],
}

/// 64 bytes in 47 scalars.
#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Narrow {
    packets: u64,
    addresses: [u32; 2],
    ports: [u16; 4],
    name: [u8; 40],
}

fn main() {
    Bench::run("Many values", |bench| {
        LENGTHS.into_iter().try_for_each(|len| all(bench, len))?;
        FEWER.into_iter().try_for_each(|len| copies::<Twelve>(bench, "12 bytes every 16", len))?;
        FEWER.into_iter().try_for_each(|len| copies::<Words>(bench, "64 bytes, u64", len))?;
        FEWER.into_iter().try_for_each(|len| copies::<Narrow>(bench, "64 bytes, narrow", len))?;
        FEWER.into_iter().try_for_each(|len| one_field(bench, len))
    });
}

fn all(bench: &mut Bench, len: u32) -> Result<()> {
    copies::<u64>(bench, "u64", len)?;
    let array = Array::<u64>::builder().name("bulk").entries(len).create()?;
    array.copy_from(&(0..u64::from(len)).collect::<Vec<_>>());
    let map = array.map().expect("a map");
    let mapping = raw::map(map, array.len() * 8);
    let mut batch_bytes = vec![0; array.len() * 8];
    let mut bytes = batch_bytes.clone();
    let mut copied = vec![0_u64; array.len()];
    let mut call = Call::new(map);
    let mut operation = bench
        .operation(format!("{len} u64, sum"))
        .limit("memcpy", |b| {
            let first = mapping.as_ptr().cast::<u64>();
            b.iter(|| {
                let to: &mut Vec<u64> = black_box(&mut copied);
                // SAFETY: as many values are mapped as `to` is long, aligned, which only this thread accesses; `to` is
                // memory of its own.
                unsafe { first.copy_to_nonoverlapping(to.as_mut_ptr(), to.len()) };
            });
        })
        .subject("Array::sum", |b| b.iter(|| array.sum(|value| value)))
        .subject("Map::lookup_batch", |b| {
            b.iter(|| map.lookup_batch(0..len, black_box(&mut batch_bytes)).expect("all are there"));
        })
        .call("BPF_MAP_LOOKUP_BATCH", |b| b.iter(|| call.lookup()));
    if len <= ONE_BY_ONE {
        operation = operation.subject("Map::lookup, one by one", |b| {
            b.iter(|| {
                for (key, value) in (0..len).zip(black_box(&mut bytes).chunks_exact_mut(8)) {
                    map.lookup(key, value).expect("it is there");
                }
            });
        });
    }
    operation.measure();
    Ok(())
}

/// Copies out and in beside memcpy of the mapped bytes, gaps included, from and to the same places.
fn copies<T: MapValue + Copy>(bench: &mut Bench, name: &str, len: u32) -> Result<()> {
    let array = Array::<T>::builder().name("bulk").entries(len).create()?;
    let mapped_len = array.len() * size_of::<T>().next_multiple_of(8);
    let mapping = raw::map(array.map().expect("a map"), mapped_len);
    let first = mapping.as_mut_ptr();
    // Room for the values, also with gaps between them.
    let mut values = array.snapshot();
    values.reserve_exact(mapped_len.div_ceil(size_of::<T>()) - values.len());
    let at = values.as_mut_ptr();
    // SAFETY: `len` values are there, which nobody else accesses while one of them is measured.
    let values = || unsafe { slice::from_raw_parts_mut(black_box(at), len as usize) };
    bench
        .operation(format!("{len} {name}, out"))
        .limit("memcpy", |b| {
            b.iter(|| {
                // SAFETY: so many bytes are mapped, which only this thread accesses; there is room for as many.
                unsafe { black_box(first).copy_to_nonoverlapping(black_box(at).cast(), black_box(mapped_len)) };
            });
        })
        .subject("Array::copy_to", |b| b.iter(|| black_box(&array).copy_to(values())))
        .measure();
    bench
        .operation(format!("{len} {name}, to a new Vec"))
        .limit("memcpy", |b| {
            b.iter(|| {
                let mut bytes = Vec::<u8>::with_capacity(black_box(mapped_len));
                // SAFETY: so many bytes are mapped, which only this thread accesses; there is room for as many.
                unsafe { black_box(first).copy_to_nonoverlapping(bytes.as_mut_ptr(), mapped_len) };
                // SAFETY: they were written.
                unsafe { bytes.set_len(mapped_len) };
                bytes
            });
        })
        .subject("Array::snapshot", |b| b.iter(|| black_box(&array).snapshot()))
        .measure();
    bench
        .operation(format!("{len} {name}, in"))
        .limit("memcpy", |b| {
            b.iter(|| {
                // SAFETY: as above, the other way. Bytes behind the values are whatever they are.
                unsafe { black_box(first).copy_from_nonoverlapping(black_box(at).cast(), black_box(mapped_len)) };
            });
        })
        .subject("Array::copy_from", |b| b.iter(|| black_box(&array).copy_from(values())))
        .measure();
    Ok(())
}

/// One field of each value beside the plain loop that a compiler may do with what it likes.
fn one_field(bench: &mut Bench, len: u32) -> Result<()> {
    let array = Array::<Narrow>::builder().name("bulk").entries(len).create()?;
    let mapping = raw::map(array.map().expect("a map"), array.len() * size_of::<Narrow>());
    let first = mapping.as_ptr().cast::<u64>();
    const STRIDE: usize = size_of::<Narrow>() / size_of::<u64>();
    let mut fields = vec![0_u64; array.len()];
    let at = fields.as_mut_ptr();
    // SAFETY: `len` values are there, which nobody else accesses while one of them is measured.
    let fields = || unsafe { slice::from_raw_parts_mut(black_box(at), len as usize) };
    bench
        .operation(format!("one field of {len}, out"))
        .limit("plain loop", |b| {
            b.iter(|| {
                let first = black_box(first);
                for (index, field) in fields().iter_mut().enumerate() {
                    // SAFETY: the first field of value `index`, which is mapped, and which only this thread accesses.
                    *field = unsafe { first.wrapping_add(index * STRIDE).read() };
                }
            });
        })
        .subject("Array::load_each_to", |b| {
            b.iter(|| black_box(&array).load_each_to(fields(), |value| value.packets));
        })
        .measure();
    bench
        .operation(format!("one field of {len}, sum"))
        .limit("plain loop", |b| {
            b.iter(|| {
                let first = black_box(first);
                // SAFETY: as above.
                let field = |index| unsafe { first.wrapping_add(index * STRIDE).read() };
                (0..black_box(len as usize)).map(field).fold(0, u64::wrapping_add)
            });
        })
        .subject("Array::sum", |b| b.iter(|| black_box(&array).sum(|value| value.packets)))
        .measure();
    Ok(())
}

/// A lookup of all values of an array map by hand, all prepared that can be.
struct Call<'m> {
    fd: BorrowedFd<'m>,
    last_key: u32,
    keys: Vec<u32>,
    values: Vec<u8>,
}

#[repr(C)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

impl<'m> Call<'m> {
    fn new(map: &'m Map) -> Self {
        let entries = map.info().max_entries as usize;
        Call {
            fd: map.as_fd(),
            last_key: 0,
            keys: vec![0; entries],
            values: vec![0; entries * map.info().value_size as usize],
        }
    }

    fn lookup(&mut self) {
        let mut attr = Batch {
            in_batch: 0,
            out_batch: (&raw mut self.last_key).expose_provenance() as u64,
            keys: self.keys.as_mut_ptr().expose_provenance() as u64,
            values: self.values.as_mut_ptr().expose_provenance() as u64,
            count: self.keys.len() as u32,
            map_fd: self.fd.as_raw_fd() as u32,
            elem_flags: 0,
            flags: 0,
        };
        // SAFETY: `attr` is made for this. The kernel writes a key of 4 bytes to `last_key`, `count` of them to `keys`, and as
        // many values to `values`, which are that long and exclusively borrowed.
        unsafe { raw::bpf(BPF_MAP_LOOKUP_BATCH, &mut attr) };
    }
}
