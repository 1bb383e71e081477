//! Maps that bpfvar does not make: other types, other descriptors, kernel-managed fields.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::object::{MapSpec, load_btf};
use crate::program::{address, bpf};

const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;

#[repr(C)]
#[derive(Default)]
struct ElementAttr {
    map_fd: u32,
    _pad: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// A map of any type, unchecked.
///
/// # Errors
///
/// The kernel's errno.
pub fn raw_map(map_type: u32, key_size: u32, value_size: u32, max_entries: u32, map_flags: u32) -> io::Result<OwnedFd> {
    MapSpec { map_type, key_size, value_size, max_entries, map_flags, ..MapSpec::default() }.create()
}

/// Sets an entry of a map, or makes it. Where each CPU has a value, all of them get it.
///
/// # Errors
///
/// The kernel's errno.
///
/// # Panics
///
/// If key or value are not as long as those of the map, and for maps of types other than hashes, arrays and tries.
pub fn update_entry(map: BorrowedFd<'_>, key: &[u8], value: &[u8]) -> io::Result<()> {
    /// `PERCPU_HASH`, `PERCPU_ARRAY`, `LRU_PERCPU_HASH`.
    const PER_CPU: [usize; 3] = [5, 6, 10];
    /// `HASH`, `ARRAY`, `LRU_HASH`, `LPM_TRIE`. Of other types the kernel may read more than a value.
    const PLAIN: [usize; 4] = [1, 2, 9, 11];
    assert_eq!((key.len(), value.len()), (fdinfo(map, "key_size"), fdinfo(map, "value_size")));
    let mut values = value.to_vec();
    let map_type = fdinfo(map, "map_type");
    assert!(PLAIN.contains(&map_type) || PER_CPU.contains(&map_type), "a map of type {map_type}");
    if PER_CPU.contains(&map_type) {
        values.resize(value.len().next_multiple_of(8), 0);
        values = values.repeat(possible_cpus());
    }
    let mut attr = ElementAttr { key: address(key), value: address(values.as_slice()), ..ElementAttr::of(map) };
    // SAFETY: both are borrowed for the call. The key is as long as the kernel says that the map's are, and so is the value; or there
    // is one for each CPU that the kernel says there can be, each in a multiple of 8 bytes.
    unsafe { bpf(BPF_MAP_UPDATE_ELEM, &mut attr) }.map(drop)
}

/// Removes an entry.
///
/// # Errors
///
/// The kernel's errno.
///
/// # Panics
///
/// If the key is not as long as those of the map.
pub fn delete_entry(map: BorrowedFd<'_>, key: &[u8]) -> io::Result<()> {
    assert_eq!(key.len(), fdinfo(map, "key_size"));
    let mut attr = ElementAttr { key: address(key), ..ElementAttr::of(map) };
    // SAFETY: the key is borrowed for the call, and as long as the kernel says that the map's are.
    unsafe { bpf(BPF_MAP_DELETE_ELEM, &mut attr) }.map(drop)
}

impl ElementAttr {
    fn of(map: BorrowedFd<'_>) -> ElementAttr {
        ElementAttr { map_fd: map.as_raw_fd() as u32, ..ElementAttr::default() }
    }
}

/// How many CPUs there can be: more than there are numbers up to the highest there are none.
fn possible_cpus() -> usize {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible").expect("sysfs is mounted");
    let last = text.trim().rsplit([',', '-']).next().and_then(|last| last.parse::<usize>().ok());
    last.expect("a list of CPUs") + 1
}

/// What the kernel says of a map.
fn fdinfo(map: BorrowedFd<'_>, field: &str) -> usize {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{}", map.as_raw_fd())).expect("/proc is mounted");
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no {field} in {text:?}"))
}

/// An array with `map_flags` whose value is `struct { struct bpf_spin_lock lock; __u32 x; }`, described by BTF.
///
/// # Errors
///
/// The kernel's errno.
pub fn spin_lock_map(map_flags: u32) -> io::Result<OwnedFd> {
    let btf = load_spin_lock_btf()?;
    let btf = Some((btf.as_fd(), 1, 3));
    MapSpec { map_type: 2, key_size: 4, value_size: 8, max_entries: 1, map_flags, btf, ..MapSpec::default() }.create()
}

/// An array with `map_flags` whose value is a struct with one member, of a struct of this name that the kernel manages: 16 bytes
/// that it shows to nobody, as `bpf_timer` (Linux 5.15) and `bpf_wq` (6.10) are.
///
/// # Errors
///
/// The kernel's errno.
pub fn opaque_map(name: &str, map_flags: u32) -> io::Result<OwnedFd> {
    let strings = format!("\0__u64\0__opaque\0value\0member\0{name}\0");
    let int = 1 << 24;
    let (array, structure) = (3 << 24, 4 << 24);
    #[rustfmt::skip]
    let types = [
        // 1: __u64
        1, int, 8, 64,
        // 2: __u64 [2]
        0, array, 0, 1, 1, 2,
        // 3: struct `name` { __u64 __opaque[2]; }
        29, structure | 1, 16,
            7, 2, 0,
        // 4: struct value { struct `name` member; }
        16, structure | 1, 16,
            22, 3, 0,
        // 5: __u32, the key
        0, int, 4, 32,
    ];
    let btf = load_btf(&blob(&types, strings.as_bytes()))?;
    let btf = Some((btf.as_fd(), 5, 4));
    MapSpec { map_type: 2, key_size: 4, value_size: 16, max_entries: 1, map_flags, btf, ..MapSpec::default() }.create()
}

/// A section `.bss` with `map_flags` and so many variables, each a `u64`: `counter_0`, `counter_1` and so on. No program uses it.
///
/// # Errors
///
/// The kernel's errno.
pub fn counters_map(variables: u32, map_flags: u32) -> io::Result<OwnedFd> {
    let (int, variable, section) = (1 << 24, 14 << 24, 15 << 24);
    let mut strings = b"\0u64\0.bss\0".to_vec();
    let mut types = vec![1, int, 8, 64];
    let mut places = Vec::new();
    for number in 0..variables {
        // Of type 1, and visible outside of its object.
        types.extend([strings.len() as u32, variable, 1, 1]);
        places.extend([2 + number, number * 8, 8]);
        strings.extend(format!("counter_{number}\0").bytes());
    }
    types.extend([5, section | variables, variables * 8]);
    types.extend(places);
    let btf = load_btf(&blob(&types, &strings))?;
    let (btf, value_size) = (Some((btf.as_fd(), 0, 2 + variables)), variables * 8);
    MapSpec { name: "many.bss", map_type: 2, key_size: 4, value_size, max_entries: 1, map_flags, btf }.create()
}

/// BTF of these records and strings.
fn blob(types: &[u32], strings: &[u8]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|word| word.to_ne_bytes()).collect();
    // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
    let mut blob = 0xeb9f_u16.to_ne_bytes().to_vec();
    blob.extend([1, 0]);
    for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
        blob.extend(word.to_ne_bytes());
    }
    blob.extend(types);
    blob.extend(strings);
    blob
}

/// Types 1: `__u32`; 2: `struct bpf_spin_lock { __u32 val; }`; 3: `struct value { struct bpf_spin_lock lock; __u32 x; }`.
fn load_spin_lock_btf() -> io::Result<OwnedFd> {
    const STRINGS: &[u8] = b"\0__u32\0bpf_spin_lock\0val\0value\0lock\0x\0";
    let string = |name: &str| {
        let needle = [b"\0", name.as_bytes(), b"\0"].concat();
        STRINGS.windows(needle.len()).position(|window| window == needle).expect("a string of the table") as u32 + 1
    };
    let (int, structure) = (1 << 24, 4 << 24);
    #[rustfmt::skip]
    let types = [
        string("__u32"), int, 4, 32,
        string("bpf_spin_lock"), structure | 1, 4,
            string("val"), 1, 0,
        string("value"), structure | 2, 8,
            string("lock"), 2, 0,
            string("x"), 1, 32,
    ];
    load_btf(&blob(&types, STRINGS))
}
