//! Opening: by descriptor, id and pin; what is no map, or not the right one.

use std::os::fd::{AsFd, OwnedFd};

use bpfvar::error::{ObjectKind, Property};
use bpfvar::{Array, Cause, Error, Map, MapValue, ReadOnly, Zerocopy};
use bpfvar_testkit::{Program, host, insn, opaque_map, raw_map, spin_lock_map};

fn program() -> Program {
    Program::socket_filter(&[insn::mov_imm(insn::Reg::R0, 0), insn::exit()])
}

#[test]
fn every_way_in_leads_to_the_same_memory() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let array = Array::<u64>::builder().name("same").entries(4).create().unwrap();
    let map = array.map().unwrap();
    map.pin(bpffs.path("same")).unwrap();
    let ways: [Array<u64>; 5] = [
        Array::from_fd(OwnedFd::from(map.try_clone().unwrap())).unwrap(),
        Array::from_borrowed_fd(map).unwrap(),
        Array::from_id(map.info().id).unwrap(),
        Array::from_pin(bpffs.path("same")).unwrap(),
        Array::from_map(Map::from_borrowed_fd(map.as_fd()).unwrap()).unwrap(),
    ];
    for (index, way) in ways.iter().enumerate() {
        way.write(2, index as u64 + 10);
        assert_eq!(array.read(2), index as u64 + 10);
        assert_eq!(way.map().unwrap().info(), map.info());
    }
}

#[test]
fn a_type_without_its_access_named_is_read_write() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    let again = Array::<u64>::from_borrowed_fd(array.map().unwrap()).unwrap();
    again.at(0).store(1, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(array.read(0), 1);
}

#[test]
fn ids_list_a_map_while_it_lives() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("listed").value_size(8).create().unwrap();
    let id = map.info().id;
    let ids: Vec<u32> = Map::ids().collect::<Result<_, _>>().unwrap();
    assert!(ids.contains(&id));
    assert!(ids.is_sorted());
    assert_eq!(Map::from_id(id).unwrap().info().name, "listed");
    // Other tests make maps too, and theirs come later.
    assert_eq!(Map::ids().after(id - 1).next().unwrap().unwrap(), id);
    assert!(Map::ids().after(id).all(|later| later.unwrap() > id));
}

#[test]
fn ids_need_cap_sys_admin() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).create().unwrap();
    let id = map.info().id;
    let (open, mut list) = host::without_capabilities(|| (Map::from_id(id).unwrap_err(), Map::ids()));
    assert_eq!(open.cause(), Some(Cause::NeedsCapSysAdmin));
    assert!(open.to_string().contains(&format!("map id {id}")) && open.to_string().contains("pin"), "{open}");
    let first = host::without_capabilities(|| (list.next(), list.next()));
    assert_eq!(first.0.unwrap().unwrap_err().cause(), Some(Cause::NeedsCapSysAdmin));
    assert!(first.1.is_none(), "the iterator ends after its error");
}

#[test]
fn an_id_of_nothing_is_not_found() {
    if !host::ready((5, 8)) {
        return;
    }
    let error = Map::from_id(u32::MAX - 7).unwrap_err();
    assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::NoSuchId), Some(libc::ENOENT)));
    assert!(error.to_string().contains("map id 4294967288"), "{error}");
}

#[test]
fn a_descriptor_needs_no_privilege() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    let map = array.map().unwrap();
    if host::bpf_is_closed_without_capabilities() {
        // Mapping takes none, but asking what is to be mapped does.
        let open = |map| Array::<u64>::from_borrowed_fd(map).unwrap_err();
        for error in host::without_capabilities(|| [open(map), map.update(0, &[0; 8]).unwrap_err()]) {
            assert_eq!(error.cause(), Some(Cause::UnprivilegedBpfDisabled), "{error}");
            let text = error.to_string();
            assert!(text.contains("kernel.unprivileged_bpf_disabled") && text.contains("setcap"), "{text}");
        }
        return;
    }
    host::without_capabilities(|| {
        let again: Array<u64> = Array::from_borrowed_fd(map).unwrap();
        again.write(0, 5);
        again.map().unwrap().update(0, &6_u64.to_ne_bytes()).unwrap();
    });
    assert_eq!(array.read(0), 6);
}

#[test]
fn what_is_no_map_is_named_for_what_it_is() {
    if !host::ready((5, 8)) {
        return;
    }
    let file = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
    let errors = [
        (Map::from_fd(file()).unwrap_err(), "/dev/null"),
        (Array::<u64>::from_fd(file()).unwrap_err(), "/dev/null"),
        (Map::from_fd(program().into()).unwrap_err(), "bpf-prog"),
        (Array::<u64>::from_fd(program().into()).unwrap_err(), "bpf-prog"),
        (Array::<u64, ReadOnly>::from_fd(program().into()).unwrap_err(), "bpf-prog"),
    ];
    for (error, name) in errors {
        assert!(matches!(error, Error::WrongObject { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }

    let bpffs = host::Bpffs::mount();
    program().pin(&bpffs.path("prog"));
    for error in [
        Map::from_pin(bpffs.path("prog")).unwrap_err(),
        Map::from_pin_read_only(bpffs.path("prog")).unwrap_err(),
        Array::<u64>::from_pin(bpffs.path("prog")).unwrap_err(),
    ] {
        assert!(matches!(error, Error::WrongObject { .. }), "{error}");
        assert!(error.to_string().contains("/prog\"") && error.to_string().contains("bpf-prog"), "{error}");
    }
}

#[test]
fn a_type_of_another_size_is_told_both_sizes() {
    if !host::ready((5, 8)) {
        return;
    }
    #[derive(MapValue)]
    #[repr(C)]
    struct Sixteen {
        a: u64,
        b: u32,
        c: u32,
    }
    let map = Map::builder().name("twelve").value_size(12).entries(3).create().unwrap();
    for error in [
        Array::<u64>::from_borrowed_fd(&map).unwrap_err(),
        Array::<Sixteen>::from_borrowed_fd(&map).unwrap_err(),
        Array::<Zerocopy<[u8; 13]>>::from_borrowed_fd(&map).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Mismatch { property: Property::ValueSize, .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("\"twelve\"") && text.contains("value_size is 12, expected"), "{text}");
    }
    let text = Array::<Sixteen>::from_borrowed_fd(&map).unwrap_err().to_string();
    assert!(text.contains("16, the size of") && text.contains("Sixteen"), "{text}");
}

#[test]
fn a_map_without_mmapable_says_how_to_get_one() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name(".bss").value_size(8).unmappable().create().unwrap();
    let error = Array::<u64>::from_map(map).unwrap_err();
    assert!(matches!(error, Error::Mismatch { property: Property::Flags, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("BPF_F_MMAPABLE") && text.contains("1024") && text.contains("Map::update"), "{text}");
}

#[test]
fn maps_of_other_types_are_opened_but_not_mapped_nor_read() {
    if !host::ready((5, 8)) {
        return;
    }
    let types = [
        (raw_map(1, 4, 8, 4, 0), "BPF_MAP_TYPE_HASH"),
        (raw_map(6, 4, 8, 4, 0), "BPF_MAP_TYPE_PERCPU_ARRAY"),
        (raw_map(3, 4, 4, 4, 0), "BPF_MAP_TYPE_PROG_ARRAY"),
        (raw_map(27, 0, 0, host::page_size() as u32, 0), "BPF_MAP_TYPE_RINGBUF"),
    ];
    for (raw, name) in types {
        let map = Map::from_fd(raw.unwrap()).unwrap();
        assert_eq!(map.info().map_type.to_string(), name);
        // A per-CPU lookup would write more than value_size bytes.
        for error in [
            map.lookup(0, &mut [0; 8]).unwrap_err(),
            map.update(0, &[0; 8]).unwrap_err(),
            map.lookup_batch(0..1, &mut [0; 8]).unwrap_err(),
            map.update_batch(0..1, &[0; 8]).unwrap_err(),
            Array::<u64>::from_borrowed_fd(&map).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Mismatch { property: Property::MapType, .. }), "{error}");
            assert!(error.to_string().contains(name) && error.to_string().contains("BPF_MAP_TYPE_ARRAY"), "{error}");
        }
    }
}

#[test]
fn a_write_only_descriptor_neither_maps_nor_reads() {
    const BPF_F_WRONLY: u32 = 1 << 4;
    const BPF_F_MMAPABLE: u32 = 1 << 10;
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::from_fd(raw_map(2, 4, 8, 1, BPF_F_MMAPABLE | BPF_F_WRONLY).unwrap()).unwrap();
    map.update(0, &[1; 8]).unwrap();
    let errors = [
        (Array::<u64>::from_borrowed_fd(&map).unwrap_err(), libc::EACCES),
        (Array::<u64, ReadOnly>::from_borrowed_fd(&map).unwrap_err(), libc::EACCES),
        (map.lookup(0, &mut [0; 8]).unwrap_err(), libc::EPERM),
        (map.lookup_batch(0..1, &mut [0; 8]).unwrap_err(), libc::EPERM),
    ];
    for (error, errno) in errors {
        assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::WriteOnlyDescriptor), Some(errno)), "{error}");
        assert!(error.to_string().contains("read-write"), "{error}");
    }
}

#[test]
fn a_value_with_a_spin_lock_is_reached_by_system_call_only() {
    const BPF_F_MMAPABLE: u32 = 1 << 10;
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::from_fd(spin_lock_map(BPF_F_MMAPABLE).unwrap()).unwrap();
    assert!(map.info().btf_id != 0 && map.info().btf_value_type_id == 3);
    let mut refused = vec![
        Array::<[u32; 2]>::from_borrowed_fd(&map).unwrap_err(),
        Array::<[u32; 2], ReadOnly>::from_borrowed_fd(&map).unwrap_err(),
    ];
    // Linux 6.2 freezes no map with such fields. Those before it freeze one with a spin lock, which still is no way to map it.
    let frozen = map.try_clone().and_then(|map| map.freeze());
    if host::kernel() < (6, 2) {
        frozen.unwrap()
    } else {
        refused.push(frozen.unwrap_err())
    }
    for error in refused {
        assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::KernelManagedFields), Some(524)), "{error}");
        let text = error.to_string();
        assert!(text.contains("ENOTSUPP") && text.contains("bpf_spin_lock") && text.contains("Map::lookup"), "{text}");
    }
    let map = Map::from_fd(spin_lock_map(BPF_F_MMAPABLE).unwrap()).unwrap();
    map.update(0, &[0, 0, 0, 0, 7, 0, 0, 0]).unwrap();
    let mut value = [0; 8];
    map.lookup(0, &mut value).unwrap();
    assert_eq!(value, [0, 0, 0, 0, 7, 0, 0, 0], "the kernel leaves the lock out");
}

/// A timer or deferred work in a value is as much the kernel's as a lock, on every kernel that has them.
#[test]
fn a_value_with_a_timer_or_deferred_work_is_not_mapped() {
    const BPF_F_MMAPABLE: u32 = 1 << 10;
    if !host::ready((5, 15)) {
        return;
    }
    let mut kinds = vec!["bpf_timer"];
    if host::kernel() >= (6, 10) {
        kinds.push("bpf_wq");
    }
    for kind in kinds {
        let map = Map::from_fd(opaque_map(kind, BPF_F_MMAPABLE).unwrap()).unwrap();
        let writable = Array::<[u64; 2]>::from_borrowed_fd(&map).unwrap_err();
        let readable = Array::<[u64; 2], ReadOnly>::from_borrowed_fd(&map).unwrap_err();
        for error in [writable, readable] {
            assert_eq!(error.cause(), Some(Cause::KernelManagedFields), "{kind}: {error}");
        }
    }
}

#[test]
fn a_refused_lookup_is_no_proof_of_a_map() {
    const BPF_MAP_LOOKUP_ELEM: u32 = 1;
    if !host::ready((5, 8)) {
        return;
    }
    let program = program();
    let map = Map::builder().value_size(8).create().unwrap();
    std::thread::spawn(move || {
        host::refuse_bpf(BPF_MAP_LOOKUP_ELEM);
        let error = Map::from_borrowed_fd(&program).unwrap_err();
        assert!(matches!(error, Error::WrongObject { expected: ObjectKind::Map, .. }), "{error}");
        // procfs still tells that this is one.
        Map::from_borrowed_fd(&map).unwrap();
    })
    .join()
    .unwrap();
}

#[test]
fn what_is_mounted_over_proc_is_not_believed() {
    if !host::alone((5, 8)) {
        return;
    }
    use std::os::fd::AsRawFd;
    let map = Map::builder().value_size(8).rdonly_prog().create().unwrap();
    let fd = map.as_fd().as_raw_fd();
    host::replace_proc(&[
        (format!("thread-self/fdinfo/{fd}"), "frozen:\t1\n"),
        // Whatever number its duplicate gets.
        (format!("thread-self/fd/{fd}"), "->anon_inode:bpf-prog"),
        (format!("thread-self/fd/{}", fd + 1), "->anon_inode:bpf-prog"),
        (format!("thread-self/fd/{}", fd + 2), "->anon_inode:bpf-prog"),
    ]);
    assert!(!map.is_frozen().unwrap(), "an update that must fail says so");
    let error = bpfvar::Program::from_borrowed_fd(&map).unwrap_err();
    assert!(matches!(error, Error::WrongObject { expected: ObjectKind::Program, .. }), "{error}");
    map.freeze().unwrap();
    let error = map.is_frozen().unwrap_err();
    assert!(error.to_string().contains("fdinfo"), "it may also be a security module that denies the update: {error}");
}
