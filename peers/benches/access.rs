//! The same work by every library that does it, in turns: one variable, one struct, many entries, one variable of many.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use aya::maps::{Array as AyaArray, Map as AyaMap, MapData};
use bpfvar::{Array, Globals, Map, MapValue, ReadWrite, Result};
use libbpf_rs::{AsRawLibbpf, MapCore, MapFlags, MapHandle};

mod support;

use support::cilium::Cilium;
use support::comparison::{Bench, Operation, eights};
use support::kernel::{self, raw};
use support::{libbpf, section};

const ENTRIES: u32 = 256;
/// The entry that is accessed.
const KEY: u32 = 77;
const _: () = assert!(KEY < ENTRIES);
/// Bytes of the section `.data` of `count.bpf.c`, and where its `config.rate` is.
const SECTION: usize = 80;
const RATE: usize = 8;

/// 64 bytes.
type Flow = [u64; 8];

fn main() {
    Bench::run("Peers", |bench| {
        if !bpfvar_testkit::host::ready(bpfvar_objects::Source::Count.needs()) {
            return Ok(());
        }
        let cilium = Cilium::start();
        let cilium = cilium.as_ref();
        scalar(bench, cilium)?;
        structure(bench, cilium)?;
        for entries in [512, 32_768] {
            bulk(bench, cilium, entries)?;
        }
        variable(bench, cilium)
    });
}

/// One map as each library opens it.
struct Opened<T: MapValue> {
    ours: Array<T>,
    /// Of the entry that is accessed.
    pointer: *mut T,
    _mapping: memmap2::MmapRaw,
}

impl<T: MapValue + Copy> Opened<T> {
    fn create(entries: u32) -> Result<Self> {
        let ours = Array::<T>::builder().name("peers").entries(entries).create()?;
        let mapping = raw::map(ours.map().expect("a map"), entries as usize * size_of::<T>());
        let pointer = mapping.as_mut_ptr().cast::<T>();
        Ok(Opened { ours, pointer, _mapping: mapping })
    }

    fn map(&self) -> &Map {
        self.ours.map().expect("a map")
    }

    fn id(&self) -> u32 {
        self.map().info().id
    }

    fn kernel(&self) -> kernel::Entries<&Map> {
        assert_eq!(self.map().info().value_size as usize, size_of::<T>());
        // SAFETY: an array. The ways below give values of T, which is as long as the map's.
        unsafe { kernel::Entries::new(self.map()) }
    }

    fn libbpf(&self) -> libbpf::Entries<&Map> {
        assert_eq!(self.map().info().value_size as usize, size_of::<T>());
        // SAFETY: as above.
        unsafe { libbpf::Entries::new(self.map()) }
    }

    fn libbpf_rs(&self) -> MapHandle {
        MapHandle::from_map_id(self.id()).expect("it is there")
    }
}

fn by_aya<V: aya::Pod>(map: &Map) -> AyaArray<MapData, V> {
    let fd = map.as_fd().try_clone_to_owned().expect("a descriptor is left");
    AyaArray::try_from(AyaMap::Array(MapData::from_fd(fd).expect("a map"))).expect("an array of such values")
}

/// Adds cilium/ebpf, where it is.
fn and_cilium<'b>(
    comparison: Operation<'b>,
    cilium: Option<&'b Cilium>,
    name: &'static str,
    (operation, map, offset): (&'static str, u32, usize),
) -> Operation<'b> {
    match cilium {
        Some(cilium) => {
            comparison.peer(name, move |b| b.iter_custom(|times| cilium.run(operation, map, offset, times)))
        }
        None => comparison,
    }
}

fn scalar(bench: &mut Bench, cilium: Option<&Cilium>) -> Result<()> {
    let opened = Opened::<u64>::create(ENTRIES)?;
    // SAFETY: the mapping has so many entries.
    let at = unsafe { opened.pointer.add(KEY as usize) };
    let field = opened.ours.at(KEY as usize);
    let (kernel, libbpf, libbpf_rs) = (opened.kernel(), opened.libbpf(), opened.libbpf_rs());
    let mut aya = by_aya::<u64>(opened.map());
    let key = KEY.to_ne_bytes();
    let comparison = bench
        .operation("set a u64")
        // SAFETY: valid and aligned. What programs and other ways do with it, a volatile access bears.
        .limit("raw pointer", |b| eights(b, || unsafe { at.write_volatile(black_box(7)) }))
        .subject("bpfvar", |b| eights(b, || field.store(black_box(7), Relaxed)))
        .peer("libbpf (C), bpf_map_update_elem", |b| b.iter(|| libbpf.update(KEY, black_box(&7_u64))))
        .peer("libbpf-rs, Map::update", |b| {
            b.iter(|| libbpf_rs.update(&key, &black_box(7_u64).to_ne_bytes(), MapFlags::ANY).expect("it works"));
        })
        .peer("aya, Array::set", |b| b.iter(|| aya.set(KEY, black_box(7), 0).expect("it works")))
        .call("bpf(2), update", |b| b.iter(|| kernel.update(KEY, black_box(&7_u64))));
    and_cilium(comparison, cilium, "cilium/ebpf, Map.Update", ("set", opened.id(), 0)).measure();

    let aya = by_aya::<u64>(opened.map());
    let comparison = bench
        .operation("get a u64")
        // SAFETY: as above.
        .limit("raw pointer", |b| eights(b, || unsafe { at.read_volatile() }))
        .subject("bpfvar", |b| eights(b, || field.load(Relaxed)))
        .peer("libbpf (C), bpf_map_lookup_elem", |b| {
            b.iter(|| {
                let mut value = 0_u64;
                libbpf.lookup(KEY, &mut value);
                value
            });
        })
        .peer("libbpf-rs, Map::lookup_into", |b| {
            b.iter(|| {
                let mut value = [0; 8];
                libbpf_rs.lookup_into(&key, &mut value, MapFlags::ANY).expect("it works");
                value
            });
        })
        .peer("aya, Array::get", |b| b.iter(|| aya.get(&KEY, 0).expect("it works")))
        .call("bpf(2), lookup", |b| {
            b.iter(|| {
                let mut value = 0_u64;
                kernel.lookup(KEY, &mut value);
                value
            });
        });
    and_cilium(comparison, cilium, "cilium/ebpf, Map.Lookup", ("get", opened.id(), 0)).measure();
    Ok(())
}

fn structure(bench: &mut Bench, cilium: Option<&Cilium>) -> Result<()> {
    let opened = Opened::<Flow>::create(ENTRIES)?;
    // SAFETY: the mapping has so many entries.
    let at = unsafe { opened.pointer.add(KEY as usize) };
    let entry = opened.ours.at(KEY as usize);
    let (kernel, libbpf, libbpf_rs) = (opened.kernel(), opened.libbpf(), opened.libbpf_rs());
    let mut aya = by_aya::<Flow>(opened.map());
    let (key, flow, bytes) = (KEY.to_ne_bytes(), [7_u64; 8], [7_u8; 64]);
    let comparison = bench
        .operation("set a struct of 64 bytes")
        // SAFETY: valid and aligned. What programs and other ways do with it, a volatile access bears.
        .limit("raw pointer", |b| b.iter(|| unsafe { at.write_volatile(black_box(flow)) }))
        .subject("bpfvar", |b| b.iter(|| entry.write(black_box(flow))))
        .peer("libbpf (C), bpf_map_update_elem", |b| b.iter(|| libbpf.update(KEY, black_box(&flow))))
        .peer("libbpf-rs, Map::update", |b| {
            b.iter(|| libbpf_rs.update(&key, black_box(&bytes), MapFlags::ANY).expect("it works"));
        })
        .peer("aya, Array::set", |b| b.iter(|| aya.set(KEY, black_box(flow), 0).expect("it works")))
        .call("bpf(2), update", |b| b.iter(|| kernel.update(KEY, black_box(&flow))));
    and_cilium(comparison, cilium, "cilium/ebpf, Map.Update", ("set-struct", opened.id(), 0)).measure();

    let aya = by_aya::<Flow>(opened.map());
    let comparison = bench
        .operation("get a struct of 64 bytes")
        // SAFETY: as above.
        .limit("raw pointer", |b| b.iter(|| unsafe { at.read_volatile() }))
        .subject("bpfvar", |b| b.iter(|| entry.read()))
        .peer("libbpf (C), bpf_map_lookup_elem", |b| {
            b.iter(|| {
                let mut value = [0_u64; 8];
                libbpf.lookup(KEY, &mut value);
                value
            });
        })
        .peer("libbpf-rs, Map::lookup_into", |b| {
            b.iter(|| {
                let mut value = [0; 64];
                libbpf_rs.lookup_into(&key, &mut value, MapFlags::ANY).expect("it works");
                value
            });
        })
        .peer("aya, Array::get", |b| b.iter(|| aya.get(&KEY, 0).expect("it works")))
        .call("bpf(2), lookup", |b| {
            b.iter(|| {
                let mut value = [0_u64; 8];
                kernel.lookup(KEY, &mut value);
                value
            });
        });
    and_cilium(comparison, cilium, "cilium/ebpf, Map.Lookup", ("get-struct", opened.id(), 0)).measure();
    Ok(())
}

/// All entries of a map. The limit copies memory that nobody shares.
fn bulk(bench: &mut Bench, cilium: Option<&Cilium>, entries: u32) -> Result<()> {
    let opened = Opened::<u64>::create(entries)?;
    let (kernel, libbpf, libbpf_rs) = (opened.kernel(), opened.libbpf(), opened.libbpf_rs());
    let aya = by_aya::<u64>(opened.map());
    let own = vec![7_u64; entries as usize];
    let [mut copied, mut values, mut more, mut theirs] = [const { Vec::<u64>::new() }; 4].map(|_| own.clone());
    let [mut keys, mut their_keys] = [const { Vec::<u32>::new() }; 2].map(|_| vec![0; entries as usize]);
    let comparison = bench
        .operation(format!("read {entries} u64"))
        .limit("memcpy", |b| b.iter(|| copied.copy_from_slice(black_box(&own))))
        .subject("bpfvar", |b| b.iter(|| opened.ours.copy_to(black_box(&mut values))))
        .peer("libbpf (C), bpf_map_lookup_batch", |b| {
            b.iter(|| libbpf.lookup_batch(&mut their_keys, black_box(&mut theirs)));
        })
        .peer("libbpf-rs, Map::lookup_batch", |b| {
            b.iter(|| libbpf_rs.lookup_batch(entries, MapFlags::ANY, MapFlags::ANY).expect("it works").count());
        })
        .peer("aya, Array::iter", |b| b.iter(|| aya.iter().map(|value| value.expect("it works")).max()))
        .call("bpf(2), batch", |b| b.iter(|| kernel.lookup_batch(&mut keys, black_box(&mut more))));
    and_cilium(comparison, cilium, "cilium/ebpf, Map.BatchLookup", ("batch", opened.id(), 0)).measure();
    Ok(())
}

/// One variable of a section that has several. Who cannot map it reads the section, and writes all of it back.
fn variable(bench: &mut Bench, cilium: Option<&Cilium>) -> Result<()> {
    let mut storage = MaybeUninit::uninit();
    let mut skeleton = section::by_libbpf_rs(&mut storage);
    let globals = Globals::by_fd(&skeleton.progs.count)?;
    let var = globals.var("config.rate")?;
    let rate = var.bind::<u64, ReadWrite>()?;
    let data = var.map().as_map();
    assert_eq!((data.info().value_size as usize, var.offset()), (SECTION, RATE as u64));
    let mapping = raw::map(data, SECTION);
    let at = mapping.as_mut_ptr().wrapping_add(RATE).cast::<u64>();
    let mut size = 0;
    // SAFETY: the map of a loaded object, for as long as the skeleton lives.
    let in_c = unsafe {
        libbpf_rs::libbpf_sys::bpf_map__initial_value(skeleton.maps.data.as_libbpf_object().as_ptr(), &raw mut size)
    };
    assert!(!in_c.is_null() && size == SECTION as u64, "a skeleton maps its sections");
    let in_c = in_c.cast::<u8>().wrapping_add(RATE).cast::<u64>();
    // SAFETY: an array of one entry, of so many bytes, as all values below are.
    let kernel = unsafe { kernel::Entries::new(data) };
    let libbpf_rs = &skeleton.maps.data;
    let theirs = std::ptr::from_mut(skeleton.maps.data_data.as_deref_mut().expect("a skeleton maps its sections"));
    let (key, id) = (0_u32.to_ne_bytes(), data.info().id);
    let mut ebpf = section::by_aya();
    let mut aya = section::of_aya::<SECTION>(&mut ebpf, ".data");

    let comparison = bench
        .operation("change one variable of a program")
        // SAFETY: valid and aligned. What programs and other ways do with it, a volatile access bears.
        .limit("raw pointer", |b| eights(b, || unsafe { at.write_volatile(black_box(7)) }))
        .subject("bpfvar", |b| eights(b, || rate.store(black_box(7), Relaxed)))
        // SAFETY: as above.
        .peer("libbpf (C), skeleton", |b| eights(b, || unsafe { in_c.write_volatile(black_box(7)) }))
        // SAFETY: valid, and no other reference lives. Rust does not bear what programs do with it meanwhile; here they do nothing.
        .peer("libbpf-rs, skeleton", |b| eights(b, || unsafe { &mut *theirs }.config.rate = black_box(7)))
        .peer("libbpf-rs, Map::lookup, update", |b| {
            b.iter(|| {
                let mut section = [0; SECTION];
                libbpf_rs.lookup_into(&key, &mut section, MapFlags::ANY).expect("it works");
                section[RATE..][..8].copy_from_slice(&black_box(7_u64).to_ne_bytes());
                libbpf_rs.update(&key, &section, MapFlags::ANY).expect("it works");
            });
        })
        .peer("aya, Array::get, set", |b| {
            b.iter(|| {
                let mut section = aya.get(&0, 0).expect("it works");
                section[RATE..][..8].copy_from_slice(&black_box(7_u64).to_ne_bytes());
                aya.set(0, section, 0).expect("it works");
            });
        })
        .call("bpf(2), lookup, update", |b| {
            b.iter(|| {
                let mut section = [0_u8; SECTION];
                kernel.lookup(0, &mut section);
                section[RATE..][..8].copy_from_slice(&black_box(7_u64).to_ne_bytes());
                kernel.update(0, &section);
            });
        });
    and_cilium(comparison, cilium, "cilium/ebpf, Map.Lookup, Update", ("change", id, RATE)).measure();
    Ok(())
}
