//! Copies of many values: every byte comes to its place and no other, and no scalar is torn while others write.

use std::fmt::Debug;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use bpfvar::{Array, Bytemuck, CacheLine, Checked, MapValue, Repr, Zerocopy};

/// Scalars of all widths, without padding.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Narrow {
    packets: u64,
    addresses: [u32; 2],
    ports: [i16; 4],
    name: [u8; 40],
}

/// The same with padding in the middle and at the end.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Padded {
    flag: u8,
    packets: u64,
    ratio: f32,
    ports: [u16; 3],
}

/// A bool is not any byte.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct WithBool {
    packets: u64,
    on: bool,
    name: [u8; 7],
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Twelve {
    address: u32,
    packets: i32,
    ports: [u16; 2],
}

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u16)]
enum Mode {
    Slow,
    Fast,
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
struct Ip(u32);

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    mode: Checked<Mode>,
    ip: Ip,
    five: Zerocopy<[u8; 5]>,
    nested: [Twelve; 2],
    last: Bytemuck<u16>,
}

/// Copies every range of up to so many values out and in, and compares with what single scalars say.
#[track_caller]
fn check<T: MapValue + Copy + PartialEq + Debug>(value: impl Fn(u8) -> T) {
    const MOST: usize = 40;
    let array = Array::<T>::in_process(MOST as u32);
    for index in 0..MOST {
        // Field by field.
        T::write_to(array.field(index), &value(index as u8));
    }
    let all: Vec<T> = (0..MOST).map(|index| T::read_from(array.field(index))).collect();
    assert_eq!(all, (0..MOST as u8).map(&value).collect::<Vec<_>>());
    assert_eq!(array.snapshot(), all);
    let other = value(200);
    for start in [0, 1, 2, 3, 5] {
        for len in (0..20).chain([31, MOST - start]) {
            let range = array.range(start..start + len);
            assert_eq!(range.snapshot(), all[start..start + len]);
            let mut copied = vec![other; len + 2];
            range.copy_to(&mut copied[1..=len]);
            assert_eq!(copied[1..=len], all[start..start + len]);
            assert_eq!((copied[0], copied[len + 1]), (other, other), "no value beside them");

            range.copy_from(&vec![other; len]);
            let expected: Vec<T> =
                (0..MOST).map(|index| if (start..start + len).contains(&index) { other } else { all[index] }).collect();
            let found: Vec<T> = (0..MOST).map(|index| T::read_from(array.field(index))).collect();
            assert_eq!(found, expected);
            range.copy_from(&all[start..start + len]);
        }
    }
    for (index, expected) in all.iter().enumerate() {
        assert_eq!(array.read(index), *expected);
        array.write(index, other);
        assert_eq!(T::read_from(array.field(index)), other);
    }
    array.fill(all[1]);
    assert!(array.snapshot().iter().all(|found| *found == all[1]));
}

#[test]
fn values_of_every_kind_come_back() {
    check(|n| n);
    check(u16::from);
    check(|n| -i32::from(n));
    check(f32::from);
    check(|n| u64::from(n) << 40 | 7);
    check(|n| n % 2 == 1);
    check(|n| [n; 3]);
    check(|n| [u32::from(n); 5]);
    check(|n| [[n, 1, 2], [3, n, 5]]);
    check(|n| [u64::from(n); 33]);
    check(|n| Narrow { packets: n.into(), addresses: [n.into(), 2], ports: [-1, 0, n.into(), 3], name: [n; 40] });
    check(|n| Padded { flag: n, packets: n.into(), ratio: n.into(), ports: [1, n.into(), 3] });
    check(|n| WithBool { packets: n.into(), on: n % 3 == 0, name: [n; 7] });
    check(|n| Twelve { address: n.into(), packets: -1 - i32::from(n), ports: [n.into(), 0xffff] });
    check(|n| Mixed {
        mode: Checked::from_scalar(n.into()),
        ip: Ip(n.into()),
        five: Zerocopy([n; 5]),
        nested: [Twelve { address: n.into(), packets: 1, ports: [n.into(), 9] }; 2],
        last: Bytemuck(n.into()),
    });
    check(|n| CacheLine { value: u32::from(n) });
    check(|n| Zerocopy([n; 23]));
    check(|n| Bytemuck([u16::from(n); 9]));
}

#[test]
fn elements_are_copied_from_every_place_inside_of_a_value() {
    let array = Array::<[u8; 500]>::in_process(1);
    let bytes = array.at(0);
    let all: [u8; 500] = std::array::from_fn(|index| index as u8);
    bytes.write(all);
    for start in 0..20 {
        for len in (0..70).chain([127, 128, 129, 255, 300]) {
            let range = bytes.slice().range(start..start + len);
            assert_eq!(range.snapshot(), all[start..start + len]);
            range.copy_from(&vec![0xee; len]);
            assert!(range.iter().all(|byte| byte.read() == 0xee));
            let outside = (0..start).chain(start + len..500);
            assert!(outside.into_iter().all(|index| bytes.at(index).read() == all[index]), "{start} {len}");
            range.copy_from(&all[start..start + len]);
        }
    }
    let words = Array::<[[u16; 3]; 90]>::in_process(1);
    let triples: [[u16; 3]; 90] = std::array::from_fn(|index| [index as u16, 2, 0xffff]);
    words.write(0, triples);
    assert_eq!(words.at(0).slice().range(7..80).snapshot(), triples[7..80]);
}

/// Whether hunts are to take a minute each.
fn is_long() -> bool {
    std::env::var_os("BPFVAR_HUNT").is_some()
}

/// How long a hunt takes.
fn time() -> Duration {
    if is_long() { Duration::from_secs(60) } else { Duration::from_millis(300) }
}

/// Writes in one thread, over and over, while `look` looks in this one, until it has found something or time is over.
fn hunt(time: Duration, write: impl Fn(bool) + Sync, mut look: impl FnMut() -> bool) -> bool {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                write(false);
                write(true);
            }
        });
        let start = Instant::now();
        let mut found = false;
        while !found && start.elapsed() < time {
            for _ in 0..100 {
                found |= look();
            }
        }
        over.store(true, Relaxed);
        found
    })
}

fn is_torn(value: &Narrow) -> bool {
    let Narrow { packets, addresses, ports, name } = value;
    !(*packets == 0 || *packets == u64::MAX)
        || !addresses.iter().all(|address| *address == 0 || *address == u32::MAX)
        || !ports.iter().all(|port| *port == 0 || *port == -1)
        || !name.iter().all(|byte| *byte == 0 || *byte == 0xff)
}

const ZERO: Narrow = Narrow { packets: 0, addresses: [0; 2], ports: [0; 4], name: [0; 40] };
const ONES: Narrow = Narrow { packets: u64::MAX, addresses: [u32::MAX; 2], ports: [-1; 4], name: [0xff; 40] };

#[test]
fn no_scalar_is_torn_by_a_copy_out() {
    let array = Array::<Narrow>::in_process(20);
    let write = |ones: bool| {
        for index in 0..array.len() {
            // Scalar by scalar.
            <Narrow as MapValue>::write_to(array.field(index), if ones { &ONES } else { &ZERO });
        }
    };
    let mut values = vec![ZERO; 20];
    let mut start = 0;
    let torn = hunt(time(), write, || {
        // From all places that a value has, and also a single one.
        start = (start + 1) % 15;
        let values = &mut values[start..];
        array.range(start..).copy_to(values);
        values.iter().any(is_torn) || is_torn(&array.read(start))
    });
    assert!(!torn);
}

#[test]
fn no_scalar_is_torn_by_a_copy_in() {
    let array = Array::<Narrow>::in_process(20);
    let write = |ones: bool| {
        array.copy_from(&[if ones { ONES } else { ZERO }; 20]);
        array.write(3, if ones { ZERO } else { ONES });
    };
    let look = || (0..20).any(|index| is_torn(&<Narrow as MapValue>::read_from(array.field(index))));
    assert!(!hunt(time(), write, look));
}

#[test]
fn no_word_is_torn_where_blocks_start_in_the_middle() {
    let array = Array::<u64>::in_process(65);
    let twelves = Array::<[u32; 3]>::in_process(65);
    let write = |ones: bool| {
        for index in 0..65 {
            array.at(index).store(if ones { u64::MAX } else { 0 }, Relaxed);
            for word in twelves.at(index).iter() {
                word.store(if ones { u32::MAX } else { 0 }, Relaxed);
            }
        }
    };
    let torn = hunt(time(), write, || {
        array.range(1..).snapshot().iter().any(|word| !(*word == 0 || *word == u64::MAX))
            || twelves.range(1..).snapshot().as_flattened().iter().any(|word| !(*word == 0 || *word == u32::MAX))
    });
    assert!(!torn);
}

/// What the hunts would see if something were torn: halves that are stored one after the other. In a hunt of a minute they
/// are stored at once; else the second is late, for a machine may happen not to look between two stores for as long as it
/// likes.
#[test]
fn the_hunt_finds_what_is_torn() {
    let array = Array::<[u32; 2]>::in_process(64);
    let write = |ones: bool| {
        for index in 0..array.len() {
            let [low, high] = [0, 1].map(|half| array.at(index).at(half));
            low.store(if ones { u32::MAX } else { 0 }, Relaxed);
            if !is_long() {
                thread::sleep(Duration::from_micros(10));
            }
            high.store(if ones { u32::MAX } else { 0 }, Relaxed);
        }
    };
    let torn = hunt(Duration::from_secs(60), write, || array.snapshot().iter().any(|[low, high]| low != high));
    assert!(torn, "a hunt that finds nothing here would find nothing anywhere");
}
