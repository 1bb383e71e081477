//! Creating: what is accepted, what is refused before the call, what the kernel refuses.

use bpfvar::{Array, Cause, Error, Map, MapType, ReadOnly};
use bpfvar_testkit::host;
use std::os::fd::AsFd;

fn argument(error: Error) -> (&'static str, String) {
    let text = error.to_string();
    match error {
        Error::Argument { argument, .. } => (argument, text),
        other => panic!("refused, but not for an argument: {other}"),
    }
}

#[test]
fn a_new_map_is_what_was_asked_for_and_zeroed() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<[u32; 3]>::builder().name("three.u32_s").entries(5).create().unwrap();
    let info = array.map().unwrap().info();
    assert_eq!(info.map_type, MapType::ARRAY);
    assert_eq!((info.name.as_str(), info.key_size, info.value_size, info.max_entries), ("three.u32_s", 4, 12, 5));
    assert!(info.flags.mmapable() && !info.flags.rdonly_prog() && !info.flags.wronly_prog());
    assert_eq!(info.stride(), 16);
    assert_eq!(array.len(), 5);
    assert_eq!(array.snapshot(), [[0; 3]; 5]);
}

#[test]
fn the_smallest_map_has_one_byte() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u8>::builder().create().unwrap();
    assert_eq!(array.map().unwrap().info().name, "");
    array.write(0, 255);
    assert_eq!((array.len(), array.read(0)), (1, 255));
}

#[test]
fn flags_reach_the_kernel() {
    if !host::ready((5, 8)) {
        return;
    }
    let node = Array::<u64>::builder().numa_node(0).create().unwrap();
    assert_eq!(node.map().unwrap().info().flags.0, 1 << 10 | 1 << 2);
    let write_only = Array::<u64>::builder().wronly_prog().create().unwrap();
    assert!(write_only.map().unwrap().info().flags.wronly_prog());
    let read_only = Array::<u64, ReadOnly>::builder().rdonly_prog().create().unwrap();
    assert!(read_only.map().unwrap().info().flags.rdonly_prog());
    let unmappable = Map::builder().value_size(8).unmappable().create().unwrap();
    assert_eq!(unmappable.info().flags.0, 0);
}

#[test]
fn descriptors_are_close_on_exec() {
    if !host::ready((5, 8)) {
        return;
    }
    use std::os::fd::AsRawFd;
    let map = Map::builder().value_size(8).create().unwrap();
    let fdinfo = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd())).unwrap();
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    // O_CLOEXEC
    assert_ne!(u32::from_str_radix(flags, 8).unwrap() & 0o2_000_000, 0, "{flags}");
}

// What follows is refused before any call, so it needs no kernel.

#[test]
fn a_name_is_at_most_15_bytes() {
    let (name, text) = argument(Array::<u64>::builder().name("sixteen_bytes_ab").create().unwrap_err());
    assert_eq!(name, "name");
    assert!(text.contains("16 bytes long") && text.contains("15 bytes is the longest"), "{text}");
}

#[test]
fn a_name_has_letters_digits_underscores_and_dots() {
    for bad in ["a-b", "a b", "é", "a/b", "a\0b"] {
        let (name, text) = argument(Array::<u64>::builder().name(bad).create().unwrap_err());
        assert_eq!(name, "name");
        assert!(text.contains("is not allowed"), "{text}");
    }
}

#[test]
fn sizes_of_zero_are_refused_by_name() {
    assert_eq!(argument(Map::builder().create().unwrap_err()).0, "value_size");
    assert_eq!(argument(Map::builder().value_size(8).entries(0).create().unwrap_err()).0, "entries");
    assert_eq!(argument(Array::<u64>::builder().entries(0).create().unwrap_err()).0, "entries");
}

#[test]
fn a_value_is_at_most_int_max_bytes() {
    let (name, text) = argument(Map::builder().value_size(1 << 31).create().unwrap_err());
    assert_eq!(name, "value_size");
    assert!(text.contains("2147483647"), "{text}");
}

#[test]
fn programs_must_be_able_to_read_or_to_write() {
    let (name, text) = argument(Map::builder().value_size(8).rdonly_prog().wronly_prog().create().unwrap_err());
    assert_eq!(name, "rdonly_prog");
    assert!(text.contains("read or to write"), "{text}");
}

#[test]
fn a_read_write_array_that_programs_only_read_is_refused_before_it_is_made() {
    let (name, text) = argument(Array::<u64>::builder().rdonly_prog().create().unwrap_err());
    assert_eq!(name, "rdonly_prog");
    assert!(text.contains("ReadOnly") && text.contains("Frozen"), "{text}");
}

// What the kernel refuses.

#[test]
fn without_cap_bpf_eperm_names_the_capability() {
    if !host::ready((5, 8)) {
        return;
    }
    let error = host::without_capabilities(|| Array::<u64>::builder().name("mine").create().unwrap_err());
    assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::NeedsCapBpf), Some(libc::EPERM)));
    let text = error.to_string();
    assert!(text.contains("\"mine\"") && text.contains("BPF_MAP_CREATE") && text.contains("EPERM"), "{text}");
    assert!(text.contains("CAP_BPF") && text.contains("setcap"), "{text}");
}

#[test]
fn more_than_the_machine_has_is_out_of_memory() {
    if !host::ready((5, 8)) {
        return;
    }
    // 8 TiB: more than any test machine maps.
    let error = Map::builder().value_size(1 << 20).entries(1 << 23).create().unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::OutOfMemory | Cause::TooBig)), "{error}");
    assert!(
        error.to_string().contains("fewer entries") || error.to_string().contains("more than this kernel accepts"),
        "{error}"
    );
}

#[test]
fn before_5_11_the_limit_of_locked_memory_is_named() {
    if !host::alone((5, 8)) {
        return;
    }
    host::limit_locked_memory(0);
    let created = Array::<u64>::builder().create();
    if host::kernel() < (5, 11) {
        let error = created.unwrap_err();
        assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::MemlockLimit), Some(libc::EPERM)), "{error}");
        assert!(error.to_string().contains("RLIMIT_MEMLOCK") && error.to_string().contains("ulimit -l"), "{error}");
    } else {
        created.unwrap();
    }
}

#[test]
fn no_such_numa_node_is_einval_and_says_so() {
    if !host::ready((5, 8)) {
        return;
    }
    let error = Array::<u64>::builder().numa_node(1000).create().unwrap_err();
    assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::UnsupportedByKernel), Some(libc::EINVAL)));
    assert!(error.to_string().contains("NUMA node"), "{error}");
}

#[test]
fn a_token_that_is_none_is_refused() {
    if !host::ready((6, 9)) {
        return;
    }
    let null = std::fs::File::open("/dev/null").unwrap();
    let error = Array::<u64>::builder().token(null.as_fd()).create().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{error}");
    assert!(error.to_string().contains("token"), "{error}");
}

#[test]
fn no_descriptor_left_is_emfile_and_names_the_limit() {
    if !host::alone((5, 8)) {
        return;
    }
    let open: Vec<Map> = {
        host::limit_descriptors(16);
        let mut open = Vec::new();
        let error = loop {
            match Map::builder().value_size(8).create() {
                Ok(map) => open.push(map),
                Err(error) => break error,
            }
        };
        assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::OutOfDescriptors), Some(libc::EMFILE)));
        assert!(error.to_string().contains("RLIMIT_NOFILE"), "{error}");
        open
    };
    let error = open[0].try_clone().unwrap_err();
    assert_eq!(error.cause(), Some(Cause::OutOfDescriptors), "{error}");
}
