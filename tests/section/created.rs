//! The BTF that our own maps carry.

use bpfvar::{Array, Error, MapValue, TypedMap, Zerocopy};
use bpfvar_testkit::host;

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Inner {
    r#type: u8,
    ratio: f64,
}

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Everything {
    count: u64,
    delta: i32,
    on: bool,
    inner: [Inner; 2],
    mac: Zerocopy<[u8; 6]>,
    weight: f32,
}

fn section<T: MapValue>(name: &str) -> TypedMap {
    let array = Array::<T>::builder().name(name).entries(2).create().unwrap();
    TypedMap::open(array.into_map().unwrap()).unwrap()
}

#[test]
fn a_map_of_a_derived_type_shows_its_fields_by_name() {
    if !host::ready((5, 13)) {
        return;
    }
    let section = section::<Everything>("everything");
    section.var("everything[1].inner[0].ratio").unwrap().set("1.5").unwrap();
    section.var("everything[1].on").unwrap().set("true").unwrap();
    let value = section.var("everything[1]").unwrap().read().unwrap().to_string();
    let expected = "{count: 0, delta: 0, on: true, inner: [{type: 0, ratio: 1.5}, {type: 0, ratio: 0.0}], mac: [0, 0, 0, 0, 0, 0], weight: 0.0}";
    assert_eq!(value, expected);
    assert_eq!(section.var("everything").unwrap().type_name(), "struct Everything");
    section.array::<Everything, bpfvar::ReadWrite>().unwrap();
    assert!(matches!(section.array::<Inner, bpfvar::ReadWrite>().unwrap_err(), Error::Layout { .. }));
}

#[test]
fn scalars_arrays_and_tuple_structs_have_types_too() {
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Pair<T>(T, u32);
    if !host::ready((5, 8)) {
        return;
    }
    assert_eq!(section::<u64>("numbers").var("numbers").unwrap().type_name(), "u64");
    assert_eq!(section::<[i16; 3]>("rows").var("rows").unwrap().type_name(), "i16 [3]");
    let pairs = section::<Pair<u8>>("pairs");
    assert_eq!(pairs.var("pairs[0]._1").unwrap().offset(), 4);
}

#[test]
fn bpftool_shows_the_names() {
    if !host::ready((5, 8)) || !host::has_tool("bpftool") {
        return;
    }
    #[derive(MapValue, Clone, Copy)]
    #[repr(C)]
    struct Stats {
        packets: u64,
        drops: u32,
    }
    let array = Array::<Stats>::builder().name("stats").create().unwrap();
    array.write(0, Stats { packets: 7, drops: 8 });
    let id = array.map().unwrap().info().id.to_string();
    let output = std::process::Command::new("bpftool").args(["map", "dump", "id", &id]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\"packets\": 7") && text.contains("\"drops\": 8"), "{text}");
}

#[test]
fn where_the_kernel_takes_no_btf_the_map_is_made_without() {
    if !host::alone((5, 8)) {
        return;
    }
    const BPF_BTF_LOAD: u32 = 18;
    host::refuse_bpf(BPF_BTF_LOAD);
    let array = Array::<Inner>::builder().name("plain").create().unwrap();
    assert_eq!(array.map().unwrap().info().btf_id, 0);
}
