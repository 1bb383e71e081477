//! Writers that are killed at any moment: what others see of values that change together, and of those that do not.

use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use bpfvar::{Array, MapValue, Seq};
use bpfvar_testkit::host;

use super::times;

/// Every byte of it is the same.
#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Mixed {
    wide: [u64; 3],
    word: u32,
    half: [u16; 3],
    bytes: [u8; 6],
}

impl Mixed {
    fn of(byte: u8) -> Mixed {
        let wide = u64::from_ne_bytes([byte; 8]);
        Mixed { wide: [wide; 3], word: wide as u32, half: [wide as u16; 3], bytes: [byte; 6] }
    }

    /// Whether each scalar by itself is one that was written.
    fn scalars_are_whole(&self) -> bool {
        let same = |bytes: &[u8]| bytes.iter().all(|byte| *byte == bytes[0]);
        self.wide.iter().all(|wide| same(&wide.to_ne_bytes()))
            && same(&self.word.to_ne_bytes())
            && self.half.iter().all(|half| same(&half.to_ne_bytes()))
    }
}

/// So many that most of the time goes into copying them.
const LEN: u32 = 50_000;

fn write_until_killed(plain: &Array<Mixed>, locked: &Array<Seq<Mixed>>) {
    let values = [1, 2, 3].map(|number| vec![Mixed::of(number); LEN as usize]);
    println!("ready");
    for values in values.iter().cycle() {
        plain.copy_from(values);
        plain.write(5, values[0]);
        locked.at(0).write(values[0]).unwrap();
        locked.at(1).update(|old| *old = values[0]).unwrap();
    }
}

#[test]
fn what_a_killed_writer_leaves_is_whole_or_told_and_the_next_goes_on() {
    if let Some(ids) = host::argument() {
        let (plain, locked) = ids.split_once(' ').unwrap();
        let plain = Array::from_id(plain.parse().unwrap()).unwrap();
        return write_until_killed(&plain, &Array::from_id(locked.parse().unwrap()).unwrap());
    }
    if !host::ready((5, 8)) {
        return;
    }
    let plain = Array::<Mixed>::builder().name("plain").entries(LEN).create().unwrap();
    let locked = Array::<Seq<Mixed>>::builder().name("locked").entries(2).create().unwrap();
    let ids = format!("{} {}", plain.map().unwrap().info().id, locked.map().unwrap().info().id);
    let last = LEN as usize - 1;
    let (mut mixed, mut torn) = (0, 0);
    let kills = times(20, 1000);
    for kill in 0..kills {
        let mut child = host::this_test_command(&ids).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        let (mut byte, mut seen) = ([0], Vec::new());
        while !seen.ends_with(b"ready\n") {
            out.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        if kill % 2 == 0 {
            // In the middle of a copy, on however slow a machine.
            let is_between = || plain.at(0).wide.at(0).load(Relaxed) != plain.at(last).wide.at(0).load(Relaxed);
            host::eventually(is_between);
        } else {
            thread::sleep(Duration::from_micros(kill * 7919 % 5_000));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let values = plain.snapshot();
        let torn_scalar = values.iter().find(|value| !value.scalars_are_whole());
        assert_eq!(torn_scalar, None);
        // Nobody promises more than whole scalars here: so it is seen that writers are killed in the middle.
        mixed += u32::from(values.iter().any(|value| *value != values[8]));
        for (entry, value) in locked.iter().enumerate() {
            match value.read() {
                Ok(value) => assert_eq!(value, Mixed::of(value.bytes[0])),
                Err(error) => {
                    torn += 1;
                    assert!(error.to_string().contains("1 inside"), "{error}");
                }
            }
            // Whatever it left, the next writer makes it good.
            let next = Mixed::of(kill as u8);
            locked.at(entry).write(next).unwrap();
            assert_eq!(locked.at(entry).read(), Ok(next));
        }
    }
    println!("{kills} writers killed, {mixed} in the middle of plain values, {torn} in the middle of a sequence lock");
    assert!(mixed > 0, "they are killed in the middle");
}
