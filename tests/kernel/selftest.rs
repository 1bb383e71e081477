//! What the kernel's own selftest of BPF_F_MMAPABLE (tools/testing/selftests/bpf/prog_tests/mmap.c) asserts, as far as it can
//! be asked through this crate. Left out are fixed addresses and mprotect, for no address is ever handed out; the order is
//! the selftest's.
#![allow(unsafe_code)]

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Cause, Frozen, Map, MapValue, ReadOnly};
use bpfvar_testkit::insn::{self, Reg, Size};
use bpfvar_testkit::{Program, host};

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Bss {
    in_val: u64,
    out_val: u64,
}

const FAR: u32 = 1500;
const ENTRIES: u32 = 2048;

/// Copies `in_val` to `out_val` and to entries 0 and 1, twice and thrice it to entries 2 and 1500.
fn program(bss: &Map, data: &Map) -> Program {
    let mut insns = insn::load_value(Reg::R6, bss.as_fd(), 0).to_vec();
    insns.extend([insn::load(Size::DW, Reg::R7, Reg::R6, 0), insn::store(Size::DW, Reg::R6, 8, Reg::R7)]);
    for key in [0, 1, 2, FAR] {
        insns.extend(insn::lookup(data.as_fd(), key));
        if key >= 2 {
            insns.push(insn::load(Size::DW, Reg::R1, Reg::R6, 0));
            insns.push(insn::add(Reg::R7, Reg::R1));
        }
        insns.push(insn::store(Size::DW, Reg::R0, 0, Reg::R7));
    }
    insns.extend([insn::mov_imm(Reg::R0, 0), insn::exit()]);
    Program::socket_filter(&insns)
}

#[test]
fn the_kernels_own_selftest_holds() {
    if !host::ready((5, 8)) {
        return;
    }
    // 1: a map that programs only read refuses a writable mapping, before it is frozen, and takes a read-only one.
    let rdonly = Map::builder().name("rdonly").value_size(4096).rdonly_prog().create().unwrap();
    assert!(Array::<[u8; 4096]>::from_borrowed_fd(&rdonly).is_err());
    let _read_only: Array<[u8; 4096], ReadOnly> = Array::from_borrowed_fd(&rdonly).unwrap();

    // 2 and 3: .bss and an array map, read-write, zeroed.
    let bss = Array::<Bss>::builder().name("test_mmap.bss").create().unwrap();
    let data = Array::<u64>::builder().name("data_map").entries(ENTRIES).create().unwrap();
    let (bss_map, data_map) = (bss.map().unwrap(), data.map().unwrap());
    assert_eq!(bss.read(0), Bss { in_val: 0, out_val: 0 });
    assert_eq!(data.sum(|value| value), 0);

    // 4: the program sees a store through the mapping; an update_elem and its own stores are seen through the mapping.
    let program = program(bss_map, data_map);
    bss.at(0).in_val.store(123, Relaxed);
    data_map.update(0, &111_u64.to_ne_bytes()).unwrap();
    assert_eq!(data.read(0), 111);
    assert_eq!(program.run(1), 0);
    assert_eq!(bss.at(0).out_val.load(Relaxed), 123);
    let expected = [(0, 123), (1, 123), (2, 246), (FAR, 369)];
    for (key, value) in expected {
        assert_eq!(data.read(key as usize), value);
        // 5: lookup_elem gives the same.
        let mut bytes = [0; 8];
        data_map.lookup(key, &mut bytes).unwrap();
        assert_eq!(u64::from_ne_bytes(bytes), value);
    }

    // 6: freezing fails while a writable mapping exists.
    assert_eq!(data_map.freeze().unwrap_err().cause(), Some(Cause::MappedWritable));

    // 7: unmapping works. mprotect to read cannot be asked: no writable mapping's address is handed out. 8: a read-only mapping is no
    // way to a writable one: its type has no store, and the kernel refuses (the next test). 13 to 15: no address can be chosen.
    let data_map = data.into_map().unwrap();
    let reader: Array<u64, ReadOnly> = Array::from_borrowed_fd(&data_map).unwrap();

    // 9: rounds of mapping and unmapping do not leave a writer behind.
    for _ in 0..10 {
        drop(Array::<u64>::from_borrowed_fd(&data_map).unwrap());
        drop(Array::<u64, ReadOnly>::from_borrowed_fd(&data_map).unwrap());
    }

    // 10: freezing works with a read-only mapping. 11: a writable mapping fails then.
    data_map.freeze().unwrap();
    assert_eq!(Array::<u64>::from_borrowed_fd(&data_map).unwrap_err().cause(), Some(Cause::Frozen));

    // 12: the program still writes the frozen map, and the mapping shows it.
    bss.at(0).in_val.store(321, Relaxed);
    assert_eq!(program.run(1), 0);
    assert_eq!([0, 1, 2, FAR].map(|key| reader.read(key as usize)), [321, 321, 642, 963]);

    // 16: more than the map has is refused.
    assert!(Array::<u64, ReadOnly>::from_map_window(data_map.try_clone().unwrap(), 0..ENTRIES + 1).is_err());

    // 17 and 18: further mappings work, and one of them holds the map when all else is gone.
    let id = data_map.info().id;
    let last = reader.read_only().unwrap();
    drop((data_map, reader, program));
    assert_eq!(Map::from_id(id).unwrap().info().name, "data_map");
    assert_eq!(last.read(FAR as usize), 963);

    // 19: after the last munmap the id is gone, a grace period later.
    drop(last);
    host::eventually(|| Map::from_id(id).is_err());
}

/// Point 8, of the one mapping whose address this crate hands out. The others are made by the same call.
#[test]
fn a_read_only_mapping_is_never_made_writable_or_executable() {
    if !host::ready((5, 8)) {
        return;
    }
    // SAFETY: nobody else gets at the map.
    let frozen = unsafe { Frozen::<u64>::builder().create_from(&[1, 2]) }.unwrap();
    let first = &frozen.as_slice().unwrap()[0];
    // SAFETY: nobody writes to the page or runs it.
    let protect = |protection| unsafe { host::protect(first, protection) };
    for protection in [libc::PROT_WRITE, libc::PROT_EXEC] {
        assert_eq!(protect(protection).unwrap_err().raw_os_error(), Some(libc::EACCES), "{protection}");
    }
    protect(libc::PROT_NONE).unwrap();
    assert_eq!(*first, 1);
}
