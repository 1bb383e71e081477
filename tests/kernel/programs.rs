//! A BPF program at the other end of the memory: each side sees all that the other does, whichever way it does it.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Array, MapValue};
use bpfvar_testkit::insn::{self, Helper, Insn, Reg, Size};
use bpfvar_testkit::{Program, host};

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Variables {
    counter: u64,
    byte: u8,
    flag: bool,
    half: u16,
    word: i32,
    ratio: f64,
}

fn variables() -> Array<Variables> {
    Array::<Variables>::builder().name("variables").create().unwrap()
}

/// A program that does `body` with R1 at byte 0 of the only value, as it would reach its globals, and returns R0.
fn on_value(array: &Array<impl MapValue>, body: &[Insn]) -> Program {
    let mut insns = insn::load_value(Reg::R1, array.map().unwrap().as_fd(), 0).to_vec();
    insns.push(insn::mov_imm(Reg::R0, 0));
    insns.extend(body);
    insns.push(insn::exit());
    Program::socket_filter(&insns)
}

#[test]
fn user_space_sees_what_a_program_stores_in_every_width() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = variables();
    on_value(
        &array,
        &[
            insn::store_imm(Size::DW, Reg::R1, 0, -1),
            insn::store_imm(Size::B, Reg::R1, 8, 0x7f),
            insn::store_imm(Size::B, Reg::R1, 9, 2),
            insn::store_imm(Size::H, Reg::R1, 10, 0x1234),
            insn::store_imm(Size::W, Reg::R1, 12, -5),
        ],
    )
    .run(1);
    let expected = Variables { counter: u64::MAX, byte: 0x7f, flag: true, half: 0x1234, word: -5, ratio: 0.0 };
    assert_eq!(array.read(0), expected);
}

#[test]
fn a_program_sees_what_user_space_stores_in_every_width() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = variables();
    array.write(0, Variables { counter: 0x1_0000_0007, byte: 200, flag: true, half: 40_000, word: -2, ratio: 1.5 });
    let read = |size, offset| on_value(&array, &[insn::load(size, Reg::R0, Reg::R1, offset)]).run(1);
    assert_eq!(read(Size::DW, 0), 7, "the low half, which is what a socket filter returns");
    let high = if cfg!(target_endian = "little") { 4 } else { 0 };
    assert_eq!(read(Size::W, high), 1, "the high half");
    assert_eq!(read(Size::B, 8), 200);
    assert_eq!(read(Size::B, 9), 1);
    assert_eq!(read(Size::H, 10), 40_000);
    assert_eq!(read(Size::W, 12), -2_i32 as u32);
    assert_eq!(read(Size::W, 16 + high), (1.5_f64.to_bits() >> 32) as u32);

    // A change while the program is loaded is seen by its next run.
    let program = on_value(&array, &[insn::load(Size::B, Reg::R0, Reg::R1, 8)]);
    for value in [1, 2, 255] {
        array.at(0).byte.store(value, Relaxed);
        assert_eq!(program.run(1), u32::from(value));
    }
}

#[test]
fn values_by_helper_are_the_same_memory() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<u64>::builder().entries(2000).create().unwrap();
    let map = array.map().unwrap().as_fd();
    for key in [0, 1, 1500, 1999] {
        // r0 = lookup(map, key); *r0 += 3; return *r0
        let mut insns = insn::lookup(map, key);
        insns.extend([
            insn::mov_imm(Reg::R1, 3),
            insn::atomic_add(Size::DW, Reg::R0, 0, Reg::R1),
            insn::load(Size::DW, Reg::R0, Reg::R0, 0),
            insn::exit(),
        ]);
        let by_lookup = Program::socket_filter(&insns);
        array.write(key as usize, 10);
        assert_eq!(by_lookup.run(2), 16);
        assert_eq!(array.read(key as usize), 16);

        // update(map, &key, &value, BPF_ANY)
        let mut insns = vec![
            insn::store_imm(Size::W, Reg::R10, -4, key as i32),
            insn::store_imm(Size::DW, Reg::R10, -16, 900 + key as i32),
            insn::mov(Reg::R2, Reg::R10),
            insn::add_imm(Reg::R2, -4),
            insn::mov(Reg::R3, Reg::R10),
            insn::add_imm(Reg::R3, -16),
            insn::mov_imm(Reg::R4, 0),
        ];
        insns.extend(insn::load_map(Reg::R1, map));
        insns.extend([insn::call(Helper::MapUpdateElem), insn::exit()]);
        assert_eq!(Program::socket_filter(&insns).run(1), 0);
        assert_eq!(array.read(key as usize), 900 + u64::from(key));
    }
    assert_eq!(array.sum(|value| value), 900 * 4 + 1 + 1500 + 1999);
}

#[test]
fn atomic_adds_from_programs_and_user_space_on_all_cpus_lose_nothing() {
    if !host::ready((5, 8)) {
        return;
    }
    const RUNS: u32 = 300_000;
    let array = variables();
    // Programs add 1 to the u64 and 2 to the i32; user space adds 1 to both.
    let program = on_value(
        &array,
        &[
            insn::mov_imm(Reg::R2, 1),
            insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
            insn::mov_imm(Reg::R2, 2),
            insn::atomic_add(Size::W, Reg::R1, 12, Reg::R2),
        ],
    );
    let cpus = host::cpus();
    thread::scope(|scope| {
        for &cpu in &cpus {
            let (program, value) = (&program, array.at(0));
            scope.spawn(move || {
                host::pin_to(cpu);
                program.run(RUNS);
            });
            scope.spawn(move || {
                host::pin_to(cpu);
                for _ in 0..RUNS {
                    value.counter.fetch_add(1, Relaxed);
                    value.word.fetch_add(1, Relaxed);
                }
            });
        }
    });
    let seen = array.read(0);
    let cpus = cpus.len() as u64;
    assert_eq!(seen.counter, 2 * cpus * u64::from(RUNS));
    assert_eq!(seen.word as u64, 3 * cpus * u64::from(RUNS));
    assert_eq!((seen.byte, seen.half, seen.ratio), (0, 0, 0.0), "neighbours are untouched");
}

#[test]
fn a_scalar_is_never_seen_torn() {
    if !host::ready((5, 8)) {
        return;
    }
    // The program flips all bits of the u64; user space must see all or none.
    let array = Array::<u64>::builder().create().unwrap();
    let program =
        on_value(&array, &[insn::store_imm(Size::DW, Reg::R1, 0, -1), insn::store_imm(Size::DW, Reg::R1, 0, 0)]);
    let (mut zeros, mut ones) = (0_u32, 0_u32);
    thread::scope(|scope| {
        let writer = scope.spawn(|| program.run(2_000_000));
        while !writer.is_finished() {
            match array.read(0) {
                0 => zeros += 1,
                u64::MAX => ones += 1,
                torn => panic!("{torn:#x}"),
            }
        }
    });
    assert!(zeros + ones > 0);
}
