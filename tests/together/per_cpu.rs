//! Values for each CPU.

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::error::Property;
use bpfvar::{AccessMode, Array, Btf, CacheLine, Error, Globals, Map, MapType, PerCpu, ReadOnly, TypedMap};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::{MapSpec, host};

use super::{Counters, loaded, on_all_cpus};

#[test]
fn every_cpu_counts_for_itself_and_nothing_is_lost() {
    let Some((loaded, globals)) = loaded() else { return };
    let counters: PerCpu<Counters, ReadOnly> = globals.var("counters").unwrap().per_cpu().unwrap();
    let counted = || counters.iter().filter(|counters| counters.packets.load(Relaxed) > 0).count();
    let (runs, ()) = on_all_cpus(&loaded, "count_packet", || host::eventually(|| counted() == host::cpus().len()));
    assert_eq!(counters.sum(|counters| counters.packets), runs);
    assert_eq!(counters.sum(|counters| counters.bytes), 100 * runs);
    let of_each: Vec<_> = counters.iter().map(|counters| counters.packets.load(Relaxed)).collect();
    assert_eq!(counters.at(0).read(), counters.share(0).read());
    let each = globals.var("counters.packets").unwrap().each_cpu().unwrap();
    assert_eq!((each.len(), each[0].path()), (counters.len(), "counters[0].packets"));
    assert_eq!(each[0].read().unwrap().as_i128(), Some(counters.at(0).packets.load(Relaxed).into()));
    // By name the same, without a type.
    let text = format!("{{packets: {runs}, bytes: {}}}", 100 * runs);
    assert_eq!(globals.var("counters").unwrap().read().unwrap().to_string(), text);
    assert_eq!(globals.var("counters.packets").unwrap().read().unwrap().as_i128(), Some(runs.into()));
    assert_eq!(globals.var("counters[0].packets").unwrap().read().unwrap().as_i128(), Some(of_each[0].into()));
}

#[test]
fn slots_are_written_one_by_one() {
    let Some((_loaded, globals)) = loaded() else { return };
    let error = globals.var("counters.packets").unwrap().set(1).unwrap_err();
    assert!(error.to_string().contains("choose a CPU, [NUMBER]"), "{error}");
    globals.var("counters[0].packets").unwrap().set(7).unwrap();
    assert_eq!(globals.var("counters.packets").unwrap().read().unwrap().as_i128(), Some(7));
    let last = host::cpus().into_iter().max().unwrap();
    let error = globals.var(&format!("counters[{}]", last + 1)).unwrap_err();
    assert!(error.to_string().contains(&format!("there is no CPU {}; they are 0 to {last}", last + 1)), "{error}");
}

#[test]
fn too_few_slots_are_refused() {
    if !host::ready((5, 8)) || !host::has_cpus(2) {
        return;
    }
    let one = Array::<CacheLine<u64>>::builder().entries(1).create().unwrap();
    let error = one.per_cpu().unwrap_err();
    assert!(matches!(error, Error::Mismatch { property: Property::CpuSlots, .. }), "{error:?}");
    assert!(error.to_string().contains("the number of its slots is 1, expected"), "{error}");
    let many = Array::<CacheLine<u64>>::builder().entries(4096).create().unwrap();
    many.at(1).value.store(3, Relaxed);
    assert_eq!(many.per_cpu().unwrap().sum(|slot| slot.value), 3);
}

#[test]
fn a_per_cpu_map_of_somebody_else_is_read_by_system_call() {
    if !host::ready(Source::Maps.needs()) {
        return;
    }
    let loaded = load(Source::Maps);
    let globals = Globals::by_id(loaded.programs[0].id()).unwrap();
    host::pin_to(host::cpus()[0]);
    loaded.run(5);
    let percpu = globals.map("percpu").unwrap();
    assert_eq!(percpu.access().unwrap(), AccessMode::SystemCallReadOnly);
    let read = |path: &str| percpu.var(path).unwrap().read().unwrap();
    // The program stores 1 into the value of its CPU.
    assert_eq!(read("percpu.packets").as_i128(), Some(5));
    assert_eq!(read(&format!("percpu[0][{}].packets", host::cpus()[0])).as_i128(), Some(5));
    assert!(read("percpu").to_string().starts_with("{packets: 5, drops: 0"), "{}", read("percpu"));
    assert!(percpu.var("percpu[0][99999]").is_err());
    let error = percpu.var("percpu.packets").unwrap().set(1).unwrap_err();
    assert!(error.to_string().contains("it is a copy for each CPU, which is only read"), "{error}");
    assert!(percpu.var("percpu").unwrap().bind::<u64, ReadOnly>().is_err());
    assert!(percpu.array::<u64, ReadOnly>().is_err());
    let paths: Vec<_> = percpu.var("percpu.packets").unwrap().each_cpu().unwrap();
    let of_each: Vec<_> = paths.iter().map(|var| (var.path(), var.read().unwrap().as_i128().unwrap())).collect();
    assert_eq!(of_each[0], ("percpu[0][0].packets", if host::cpus()[0] == 0 { 5 } else { 0 }), "{of_each:?}");
    assert_eq!(of_each.iter().map(|(_, packets)| packets).sum::<i128>(), 5);
    let named: Vec<_> = percpu.var("percpu[0].packets").unwrap().each_cpu().unwrap();
    assert_eq!(
        named.iter().map(|var| var.path()).collect::<Vec<_>>(),
        of_each.iter().map(|(path, _)| *path).collect::<Vec<_>>()
    );
    // The library's own call.
    let copies = percpu.as_map().lookup_per_cpu(0).unwrap();
    let stride = percpu.info().stride() as usize;
    let sum: u64 = copies.chunks(stride).map(|copy| u64::from_ne_bytes(copy[..8].try_into().unwrap())).sum();
    assert_eq!(sum, 5);
    assert!(percpu.as_map().lookup_per_cpu(1).is_err());
    assert!(TypedMap::open(loaded.map("stats").try_clone().unwrap()).unwrap().as_map().lookup_per_cpu(0).is_err());
}

/// As libbpf may one day make it: a data section of which each CPU has a copy.
#[test]
fn a_section_for_each_cpu_is_read_by_name() {
    if !host::ready(Source::Count.needs()) {
        return;
    }
    let loaded = load(Source::Count);
    let info = loaded.map(".bss").info().clone();
    let btf = Btf::parse(loaded.btf.as_ref().unwrap().bytes()).unwrap();
    let spec = MapSpec {
        map_type: MapType::PERCPU_ARRAY.0,
        key_size: 4,
        value_size: info.value_size,
        max_entries: 1,
        name: "x.bss",
        ..MapSpec::default()
    };
    let section = TypedMap::with_btf(Map::from_fd(spec.create().unwrap()).unwrap(), btf).unwrap();
    let read = |path: &str| section.var(path).unwrap().read().unwrap().to_string();
    assert_eq!((read("packets").as_str(), read("packets[0]").as_str()), ("0", "0"));
    assert_eq!(read("hist"), format!("[{}]", ["0"; 16].join(", ")));
    assert_eq!((read("hist[0]"), read("hist[0][15]").as_str()), (read("hist"), "0"));
    assert_eq!(section.var("packets").unwrap().each_cpu().unwrap().len(), host::cpus().len());
    let paths = |var: &str| {
        section.var(var).unwrap().each_cpu().unwrap().iter().map(|var| var.path().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths("hist[0]"), Vec::<String>::new(), "that is one CPU");
    assert!(section.var("hist[99999]").is_err());
}
