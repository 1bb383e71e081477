//! How many system calls things take: counted by a BPF program at every system call of this thread.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, CacheLine, MapValue, ReadOnly, Seq, Switch, Var};
use bpfvar_testkit::insn::{self, Helper, Reg, Size};
use bpfvar_testkit::{Attached, Program, ProgramType, host};

/// Counts the system calls of the thread that made it. Reading the count takes none: it is a mapped map.
struct SystemCalls {
    count: Array<u64>,
    _attached: Attached,
}

impl SystemCalls {
    fn of_this_thread() -> SystemCalls {
        let count = Array::<u64>::builder().name("system_calls").create().unwrap();
        let mut insns = vec![
            insn::call(Helper::GetCurrentPidTgid),
            insn::mov32(Reg::R6, Reg::R0),
            insn::mov32_imm(Reg::R7, host::thread_id() as i32),
            insn::jump_ne_reg(Reg::R6, Reg::R7, 4),
        ];
        insns.extend(insn::load_value(Reg::R1, count.map().unwrap().as_fd(), 0));
        insns.extend([
            insn::mov_imm(Reg::R2, 1),
            insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
            insn::mov_imm(Reg::R0, 0),
            insn::exit(),
        ]);
        let program = Program::load(ProgramType::RawTracepoint, &insns).unwrap();
        let attached = program.attach(c"sys_enter").unwrap();
        SystemCalls { count, _attached: attached }
    }

    fn during<R>(&self, work: impl FnOnce() -> R) -> (R, u64) {
        let before = self.count.read(0);
        let result = work();
        (result, self.count.read(0) - before)
    }
}

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Stats {
    packets: u64,
    mode: u32,
    sizes: [u64; 16],
}

#[test]
fn the_counter_counts() {
    if !host::ready((5, 8)) {
        return;
    }
    let calls = SystemCalls::of_this_thread();
    let ((), count) = calls.during(|| {
        for _ in 0..5 {
            host::thread_id();
        }
    });
    assert_eq!(count, 5);
}

#[test]
fn opening_takes_at_most_three_system_calls_and_creating_five() {
    if !host::ready((5, 8)) {
        return;
    }
    let calls = SystemCalls::of_this_thread();
    let bpffs = host::Bpffs::mount();
    let (array, create) = calls.during(|| Array::<Stats>::builder().name("stats").entries(256).create().unwrap());
    let map = array.map().unwrap();
    map.pin(bpffs.path("stats")).unwrap();
    let owned = map.try_clone().unwrap().into();
    let id = map.info().id;
    let (_owned, attach_owned) = calls.during(|| Array::<Stats>::from_fd(owned).unwrap());
    let (_borrowed, attach_borrowed) = calls.during(|| Array::<Stats>::from_borrowed_fd(map).unwrap());
    let (_by_id, attach_id) = calls.during(|| Array::<Stats>::from_id(id).unwrap());
    let path = bpffs.path("stats");
    let (_by_pin, attach_pin) = calls.during(|| Array::<Stats>::from_pin(&path).unwrap());
    println!("create {create}, owned {attach_owned}, borrowed {attach_borrowed}, id {attach_id}, pin {attach_pin}");
    // The first allocation of a thread may take a call or two (brk, mmap); these are long past it.
    // BTF is loaded and its descriptor closed, before which a debug build of the standard library looks whether it is open.
    let looks = u64::from(cfg!(debug_assertions));
    assert_eq!((create, attach_owned, attach_borrowed), (5 + looks, 2, 3));
    assert_eq!((attach_id, attach_pin), (3, 3));
}

#[test]
fn all_variables_of_a_section_take_one() {
    if !host::ready(bpfvar_objects::Source::Count.needs()) {
        return;
    }
    let calls = SystemCalls::of_this_thread();
    let loaded = bpfvar_objects::load_as_aya(bpfvar_objects::Source::Count);
    let globals = bpfvar::Globals::by_id(loaded.programs[0].id()).unwrap();
    let vars: Vec<Var> = globals.map(".data").unwrap().vars().collect();
    let (_, each) = calls.during(|| vars.iter().map(|var| var.read().unwrap()).collect::<Vec<_>>());
    let (_, all) = calls.during(|| Var::read_all(&vars));
    assert_eq!((each, all), (vars.len() as u64, 1));
    assert!(vars.len() > 3);
}

#[test]
fn access_takes_none() {
    if !host::ready((5, 8)) {
        return;
    }
    let calls = SystemCalls::of_this_thread();
    let array = Array::<Stats>::builder().entries(256).create().unwrap();
    let read_only: Array<Stats, ReadOnly> = array.read_only().unwrap();
    let mut values = array.snapshot();
    let ((), count) = calls.during(|| {
        for (index, value) in array.iter().enumerate() {
            value.packets.fetch_add(index as u64, Relaxed);
            value.mode.store(2, Relaxed);
            value.sizes.at(5).load(Relaxed);
            value.write(value.read());
        }
        array.range(3..7).fill(values[0]);
        array.copy_to(&mut values);
        array.copy_from(&values);
        read_only.copy_to(&mut values);
        std::hint::black_box(read_only.sum(|value| value.packets));
    });
    assert_eq!(count, 0);
    let seqs = Array::<Seq<Stats>>::builder().entries(4).create().unwrap();
    let switches = Array::<Switch<Stats>>::builder().entries(1).create().unwrap();
    let lines = Array::<CacheLine<u64>>::builder().entries(8192).create().unwrap();
    let per_cpu = lines.per_cpu().unwrap();
    let mut copies = seqs.snapshot();
    seqs.at(2).write(values[0]).unwrap();
    let ((), count) = calls.during(|| {
        std::hint::black_box(seqs.at(2).read().unwrap().packets);
        seqs.copy_to(&mut copies);
        std::hint::black_box(switches.at(0).read().unwrap().packets);
        std::hint::black_box(per_cpu.sum(|slot| slot.value));
    });
    assert_eq!(count, 0, "consistent reading takes none either");
    let (_, write) = calls.during(|| seqs.at(2).write(values[0]).unwrap());
    assert_eq!(write, 1, "gettid");
    let (_, by_system_call) = calls.during(|| array.map().unwrap().lookup(3, &mut [0; 144]).unwrap());
    assert_eq!(by_system_call, 1);
}
