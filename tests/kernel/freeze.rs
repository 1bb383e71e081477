//! Freezing, and contents that nobody writes any more.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::error::Property;
use bpfvar::{Array, Cause, Error, Frozen, Map, ReadOnly};
use bpfvar_testkit::insn::{self, Reg, Size};
use bpfvar_testkit::{Program, host};

#[test]
fn a_frozen_array_is_read_only_and_keeps_its_values() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("cold").entries(3).create().unwrap();
    array.copy_from(&[1, 2, 3]);
    let frozen = array.freeze().unwrap();
    assert_eq!(frozen.snapshot(), [1, 2, 3]);
    let map = frozen.map().unwrap();
    assert!(map.is_frozen().unwrap());

    let errors = [
        map.update(0, &[0; 8]).unwrap_err(),
        map.update_batch(0..1, &[0; 8]).unwrap_err(),
        map.freeze().unwrap_err(),
        Array::<u64>::from_borrowed_fd(map).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.cause(), Some(Cause::Frozen), "{error}");
        assert!(error.to_string().contains("frozen") && error.to_string().contains("\"cold\""), "{error}");
    }
}

#[test]
fn while_somebody_maps_it_writable_the_map_comes_back() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().name("busy").entries(2).create().unwrap();
    array.write(1, 5);
    let other: Array<u64> = Array::from_borrowed_fd(array.map().unwrap()).unwrap();
    let failed = array.freeze().unwrap_err();
    assert_eq!((failed.error.cause(), failed.error.raw_os_error()), (Some(Cause::MappedWritable), Some(libc::EBUSY)));
    assert!(failed.to_string().contains("\"busy\"") && failed.to_string().contains("forked child"), "{failed}");
    let array = Array::<u64>::from_map(failed.map).unwrap();
    array.at(1).fetch_add(1, Relaxed);
    assert_eq!(other.read(1), 6);
    drop(other);
    assert_eq!(array.freeze().unwrap().read(1), 6);
}

#[test]
fn a_window_freezes_and_stays_a_window() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).entries(2000).create().unwrap();
    let window: Array<u64> = Array::from_map_window(map, 1000..1010).unwrap();
    window.write(9, 4);
    let frozen = window.freeze().unwrap();
    assert_eq!((frozen.len(), frozen.read(9)), (10, 4));
}

#[test]
fn read_only_mappings_do_not_keep_a_map_from_freezing() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    let reader = array.read_only().unwrap();
    array.write(0, 8);
    let frozen = array.freeze().unwrap();
    assert_eq!((reader.read(0), frozen.read(0)), (8, 8));
}

#[test]
fn the_error_of_a_failed_freeze_converts() {
    fn freeze(array: Array<u64>) -> bpfvar::Result<Array<u64, ReadOnly>> {
        Ok(array.freeze()?)
    }
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    let other: Array<u64> = Array::from_borrowed_fd(array.map().unwrap()).unwrap();
    assert_eq!(freeze(array).unwrap_err().cause(), Some(Cause::MappedWritable));
    drop(other);
}

#[test]
fn programs_still_write_a_frozen_map() {
    if !host::ready((5, 8)) {
        return;
    }
    let frozen = Array::<u64>::builder().create().unwrap().freeze().unwrap();
    let mut insns = insn::load_value(Reg::R1, std::os::fd::AsFd::as_fd(frozen.map().unwrap()), 0).to_vec();
    insns.extend([insn::store_imm(Size::DW, Reg::R1, 0, 41), insn::mov_imm(Reg::R0, 0), insn::exit()]);
    Program::socket_filter(&insns).run(1);
    assert_eq!(frozen.at(0).load(Relaxed), 41);
    // So its contents are not lent.
    // SAFETY: nobody else gets at the map.
    let error = unsafe { Frozen::<u64>::from_map(frozen.into_map().unwrap()) }.unwrap_err();
    assert!(matches!(error, Error::Mismatch { property: Property::Flags, .. }), "{error}");
    assert!(error.to_string().contains("BPF_F_RDONLY_PROG"), "{error}");
}

#[test]
fn frozen_contents_are_lent_as_plain_references() {
    if !host::ready((5, 8)) {
        return;
    }
    // SAFETY: nobody else gets at the map.
    let frozen = unsafe { Frozen::<u64>::builder().name("table").create_from(&[5, 6, 7]) }.unwrap();
    let slice: &[u64] = frozen.as_slice().unwrap();
    assert_eq!(slice, [5, 6, 7]);
    assert_eq!((frozen[2], frozen.get(3), frozen.len()), (7, None, 3));
    assert_eq!(format!("{frozen:?}"), "[5, 6, 7]");

    // SAFETY: as above.
    let padded = unsafe { Frozen::<[u32; 3]>::builder().create_from(&[[1, 2, 3], [4, 5, 6]]) }.unwrap();
    assert_eq!(padded.as_slice(), None, "12 bytes sit 16 apart");
    assert_eq!(padded.iter().rev().copied().collect::<Vec<_>>(), [[4, 5, 6], [1, 2, 3]]);

    // SAFETY: as above.
    let pod = unsafe { Frozen::<u16>::builder().create_from_pod(&[9]) }.unwrap();
    let again = pod.map().try_clone().unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { Frozen::<[u8; 2]>::from_map_pod(again) }.unwrap()[0], 9_u16.to_ne_bytes());
}

#[test]
fn what_could_still_change_is_not_lent() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).rdonly_prog().create().unwrap();
    // SAFETY: nobody else gets at the map.
    let open = |map| unsafe { Frozen::<u64>::from_map(map) };
    let error = open(map.try_clone().unwrap()).unwrap_err();
    assert!(error.to_string().contains("not frozen") && error.to_string().contains("Map::freeze"), "{error}");
    map.freeze().unwrap();
    assert_eq!(open(map).unwrap()[0], 0);
}

#[test]
fn a_frozen_index_is_checked() {
    if !host::ready((5, 8)) {
        return;
    }
    // SAFETY: nobody else gets at the map.
    let frozen = unsafe { Frozen::<u64>::builder().create_from(&[1]) }.unwrap();
    let panic = std::panic::catch_unwind(|| frozen[1]).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "index 1 is out of bounds: there are 1 values");
}

#[test]
fn no_values_are_no_map() {
    // SAFETY: no map is made.
    let error = unsafe { Frozen::<u64>::builder().create_from(&[]) }.unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "values", .. }), "{error}");
}

#[test]
fn without_a_descriptor_to_spare_a_map_is_not_said_to_be_frozen_but_explained_so() {
    if !host::alone((5, 8)) {
        return;
    }
    let warm = Map::builder().value_size(8).create().unwrap();
    let cold = Map::builder().value_size(8).create().unwrap();
    cold.freeze().unwrap();
    host::limit_descriptors(3);
    assert!(std::fs::File::open("/dev/null").is_err(), "none is left");
    assert!(!warm.is_frozen().unwrap(), "an update that must fail proves it");
    assert_eq!(cold.is_frozen().unwrap_err().cause(), Some(Cause::OutOfDescriptors), "nothing proves it");
    assert_eq!(cold.update(0, &[0; 8]).unwrap_err().cause(), Some(Cause::Frozen));
    assert_eq!(cold.freeze().unwrap_err().cause(), Some(Cause::Frozen));
}

#[test]
fn a_refused_call_is_not_taken_for_a_frozen_map() {
    const BPF_MAP_UPDATE_ELEM: u32 = 2;
    if !host::alone((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).rdonly_prog().create().unwrap();
    // Neither /proc nor an update that must fail can tell now.
    host::limit_descriptors(3);
    host::refuse_bpf(BPF_MAP_UPDATE_ELEM);
    assert_eq!(map.update(0, &[0; 8]).unwrap_err().raw_os_error(), Some(libc::EPERM));
    assert!(map.is_frozen().is_err());
    // SAFETY: nothing is lent.
    assert!(unsafe { Frozen::<u64>::from_map(map) }.is_err());
}
