//! All values of a map: copied and added up through the mapping, copied by memcpy, and by system call.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use bpfvar::{Array, Map, Result};

mod support;

use support::comparison::Bench;
use support::raw;

/// Values of 8 bytes: half a KiB, a level-1 cache with its copy, just not, a level-2 cache, 2 MiB.
const LENGTHS: [u32; 5] = [64, 512, 4096, 32768, 262_144];
/// The longest run that is also copied by one system call a value.
const ONE_BY_ONE: u32 = 512;

const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;

fn main() {
    Bench::run("Many values", |bench| LENGTHS.into_iter().try_for_each(|len| all(bench, len)));
}

fn all(bench: &mut Bench, len: u32) -> Result<()> {
    let array = Array::<u64>::builder().name("bulk").entries(len).create()?;
    array.copy_from(&(0..u64::from(len)).collect::<Vec<_>>());
    let map = array.map().expect("a map");
    let mapping = raw::map(map, array.len() * 8);
    let mut copied = vec![0; array.len()];
    let mut values = vec![0; array.len()];
    let mut batch_bytes = vec![0; array.len() * 8];
    let mut bytes = batch_bytes.clone();
    let mut call = Call::new(map);
    let mut operation = bench
        .operation(format!("{len} u64"))
        .subject("Array::snapshot", |b| b.iter(|| array.snapshot()))
        .subject("Array::copy_to", |b| b.iter(|| array.copy_to(black_box(&mut values))))
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
