//! Mapping: windows, access, lifetimes, what the kernel refuses.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Access, Array, Cause, Error, Map, ReadOnly};
use bpfvar_testkit::host;

/// The lines of /proc/self/maps that are BPF maps.
fn bpf_mappings() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("bpf-map")).map(str::to_owned).collect()
}

#[test]
fn values_of_twelve_bytes_sit_sixteen_apart() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<[u32; 3]>::builder().entries(1000).create().unwrap();
    let map = array.map().unwrap();
    for (byte, index) in [(1, 0), (2, 1), (3, 511), (4, 999)] {
        map.update(index, &[byte; 12]).unwrap();
        assert_eq!(array.read(index as usize), [u32::from_ne_bytes([byte; 4]); 3]);
    }
    assert_eq!(array.read(2), [0; 3]);
    array.at(998).at(2).store(77, Relaxed);
    let mut value = [0; 12];
    map.lookup(998, &mut value).unwrap();
    assert_eq!(value[..], [0, 0, 77_u32].map(u32::to_ne_bytes).concat());
}

#[test]
fn a_window_shows_its_entries_and_maps_its_pages_only() {
    // In a process of its own, for /proc/self/maps shows the maps of all tests.
    if !host::alone((5, 8)) {
        return;
    }
    let page = host::page_size();
    let entries_a_page = page / 16;
    let whole = Array::<[u32; 3]>::builder().entries(16 * entries_a_page as u32).create().unwrap();
    for index in 0..whole.len() {
        whole.write(index, [index as u32; 3]);
    }
    let before = bpf_mappings().len();
    // From the middle of page 2 to the middle of page 4.
    let start = 2 * entries_a_page + 7;
    let end = 4 * entries_a_page + 1;
    let map = whole.map().unwrap().try_clone().unwrap();
    let window: Array<[u32; 3]> = Array::from_map_window(map, start as u32..end as u32).unwrap();
    assert_eq!(window.len(), end - start);
    let expected: Vec<[u32; 3]> = (start..end).map(|index| [index as u32; 3]).collect();
    assert_eq!(window.snapshot(), expected);
    window.at(0).at(1).store(5, Relaxed);
    assert_eq!(whole.read(start), [start as u32, 5, start as u32]);

    let lines = bpf_mappings();
    assert_eq!(lines.len(), before + 1);
    let sizes: Vec<usize> = lines.iter().map(|line| mapping_size(line)).collect();
    assert!(sizes.contains(&(3 * page)), "{lines:?}");
    drop(window);
    assert_eq!(bpf_mappings().len(), before, "dropping unmaps");
    drop(whole);
    assert_eq!(bpf_mappings().len(), 0);
}

fn mapping_size(line: &str) -> usize {
    let (start, end) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
    usize::from_str_radix(end, 16).unwrap() - usize::from_str_radix(start, 16).unwrap()
}

#[test]
fn a_window_lies_inside_the_map_and_is_not_empty() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("ten").value_size(8).entries(10).create().unwrap();
    let window = |range| Array::<u64>::from_map_window(map.try_clone().unwrap(), range);
    assert_eq!(window(9..10).unwrap().len(), 1);
    #[expect(clippy::reversed_empty_ranges, reason = "that is the test")]
    for bad in [0..11, 10..11, 5..5, 7..3, 0..u32::MAX, u32::MAX..u32::MAX] {
        let error = window(bad.clone()).unwrap_err();
        assert!(matches!(error, Error::Argument { argument: "window", .. }), "{error}");
        assert!(error.to_string().contains("10 entries") && error.to_string().contains(&format!("{bad:?}")), "{error}");
    }
}

#[test]
fn offsets_beyond_four_gib_are_right() {
    // The kernel allocates the whole map; before 5.11 it has to be smaller than 4 GiB.
    if !host::ready((5, 11)) || !host::has_memory(8) {
        return;
    }
    // A little over 4 GiB.
    const SIZE: usize = 4 << 20;
    let map = Map::builder().name("big").value_size(SIZE as u32).entries(1026).create().unwrap();
    let mut value = vec![0; SIZE];
    value[SIZE - 8..].copy_from_slice(&0xfeed_u64.to_ne_bytes());
    map.update(1025, &value).unwrap();
    let window: Array<[u64; SIZE / 8], ReadOnly> = Array::from_map_window(map, 1024..1026).unwrap();
    assert_eq!(window.at(1).at(SIZE / 8 - 1).load(Relaxed), 0xfeed);
    assert_eq!(window.at(0).at(SIZE / 8 - 1).load(Relaxed), 0);
}

#[test]
fn a_mapping_at_the_null_page_is_refused_also_behind_an_offset() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().value_size(8).entries(2000).create().unwrap();
    std::thread::spawn(move || {
        host::map_at_null();
        // Entry 2 lies at byte 16 of the page.
        for window in [0..10, 2..10, 600..601] {
            let error = Array::<u64>::from_map_window(map.try_clone().unwrap(), window).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EFAULT), "{error}");
        }
    })
    .join()
    .unwrap();
}

fn refusal<A: Access>(map: Map) -> Error {
    Array::<u64, A>::from_map(map).unwrap_err()
}

#[test]
fn a_map_that_programs_only_read_is_never_mapped_writable() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("ro").value_size(8).rdonly_prog().create().unwrap();
    let error = Array::<u64>::from_borrowed_fd(&map).unwrap_err();
    assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::ReadOnlyForPrograms), Some(libc::EACCES)));
    assert!(error.to_string().contains("mmap") && error.to_string().contains("BPF_F_RDONLY_PROG"), "{error}");
    let array: Array<u64, ReadOnly> = Array::from_map(map).unwrap();
    array.map().unwrap().update(0, &9_u64.to_ne_bytes()).unwrap();
    assert_eq!(array.at(0).load(Relaxed), 9);
}

#[test]
fn a_read_only_descriptor_maps_nothing_and_says_so() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    Map::builder().value_size(8).create().unwrap().pin(bpffs.path("m")).unwrap();
    let open = || Map::from_pin_read_only(bpffs.path("m")).unwrap();
    for (error, errno) in
        [(refusal::<ReadOnly>(open()), libc::EINVAL), (refusal::<bpfvar::ReadWrite>(open()), libc::EACCES)]
    {
        assert_eq!((error.cause(), error.raw_os_error()), (Some(Cause::ReadOnlyDescriptor), Some(errno)));
        assert!(error.to_string().contains("read-write descriptor"), "{error}");
    }
}

#[test]
fn read_only_memory_is_loaded_from_with_every_ordering() {
    use std::sync::atomic::Ordering::{Acquire, SeqCst};
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().create().unwrap();
    array.write(0, 3);
    let read_only = array.read_only().unwrap();
    assert_eq!([Relaxed, Acquire, SeqCst].map(|order| read_only.at(0).load(order)), [3; 3]);
}

#[test]
fn a_mapping_outlives_its_descriptor() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().entries(4).create().unwrap();
    let read_only = array.read_only().unwrap();
    drop(array);
    assert_eq!(read_only.read(3), 0);
}

#[test]
fn threads_share_an_array() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Arc::new(Array::<u64>::builder().entries(2).create().unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let array = Arc::clone(&array);
            thread::spawn(move || {
                let counter = array.at(1);
                for _ in 0..50_000 {
                    counter.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(array.read(1), 200_000);
    assert_eq!(array.read(0), 0);
}

#[test]
fn padding_and_the_bytes_behind_the_value_are_left_alone() {
    use bpfvar::MapValue;
    if !host::ready((5, 8)) {
        return;
    }
    #[derive(MapValue, Clone, Copy, PartialEq, Debug)]
    #[repr(C)]
    struct Holes {
        a: u8,
        b: u32,
        c: u16,
    }
    let map = Map::builder().value_size(12).create().unwrap();
    map.update(0, &[0xee; 12]).unwrap();
    let array: Array<Holes> = Array::from_map(map).unwrap();
    array.write(0, Holes { a: 1, b: 2, c: 3 });
    let bytes = || {
        let mut bytes = [0; 12];
        array.map().unwrap().lookup(0, &mut bytes).unwrap();
        bytes
    };
    let expected =
        |a: u8, b: u32, c: u16| [&[a, 0xee, 0xee, 0xee][..], &b.to_ne_bytes(), &c.to_ne_bytes(), &[0xee; 2]].concat();
    assert_eq!(bytes()[..], expected(1, 2, 3));
    array.copy_from(&[Holes { a: 4, b: 5, c: 6 }]);
    assert_eq!(bytes()[..], expected(4, 5, 6));
}

#[test]
fn a_bool_is_any_byte_but_zero() {
    use bpfvar::MapValue;
    use std::sync::atomic::Ordering::AcqRel;
    if !host::ready((5, 8)) {
        return;
    }
    #[derive(MapValue, Debug)]
    #[repr(C)]
    struct Switch {
        on: bool,
        neighbour: u8,
    }
    let array = Array::<Switch>::builder().create().unwrap();
    let set = |byte: u8| array.map().unwrap().update(0, &[byte, 9]).unwrap();
    let on = array.at(0).on;
    set(2);
    assert!(on.load(Relaxed) && array.read(0).on);
    assert_eq!(on.compare_exchange(false, true, AcqRel, Relaxed), Err(true));
    assert_eq!(on.compare_exchange(true, false, AcqRel, Relaxed), Ok(true), "2 is true");
    set(3);
    assert!(array.snapshot()[0].on, "and so in a copy of all");
    set(255);
    assert!(on.swap(true, Relaxed));
    assert_eq!(on.fetch_update(AcqRel, Relaxed, |on| Some(!on)), Ok(true));
    assert!(!on.load(Relaxed));
    assert_eq!(array.at(0).neighbour.load(Relaxed), 9);
}
