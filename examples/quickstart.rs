//! A BPF program counts every system call of this machine. We watch its counter and change its setting while it runs, by
//! plain loads and stores, then measure what that saves.
//!
//!     cargo run --release --example quickstart

use std::error::Error;
use std::hint::black_box;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bpfvar::{Array, Cause, MapValue};
use bpfvar_testkit::insn::{self, Reg, Size};
use bpfvar_testkit::{Attached, Program, ProgramType};

/// The program's global variables, laid out as C lays them out.
#[derive(MapValue)]
#[repr(C)]
struct Globals {
    /// The program adds to it.
    counted: u64,
    /// How much it adds for each system call. We change it.
    step: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let globals = match Array::<Globals>::builder().name("quickstart.bss").create() {
        Ok(globals) => globals,
        Err(error) if error.cause() == Some(Cause::NeedsCapBpf) => {
            println!(
                "{error}\n\nSo here is the same over process memory, without a program (try: sudo -E cargo run ...).\n"
            );
            let globals = Array::<Globals>::in_process(1);
            globals.at(0).counted.fetch_add(1, Relaxed);
            measure(&globals);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };

    let program = count_system_calls(&globals)?;
    let view = globals.at(0);
    println!("a program counts system calls; we set its `step` while it runs:\n");
    for step in [1, 1, 10, 0] {
        view.step.store(step, Relaxed); // one instruction: the program sees it at its next run
        let before = view.counted.load(Relaxed);
        sleep(Duration::from_millis(700));
        println!("  step = {step:2}   counted {:8}", view.counted.load(Relaxed) - before);
    }
    drop(program); // detaches it

    measure(&globals);
    Ok(())
}

/// The program, as clang would compile `__sync_fetch_and_add(&counted, step)`, on the tracepoint `sys_enter`.
fn count_system_calls(globals: &Array<Globals>) -> Result<Attached, Box<dyn Error>> {
    let map = globals.map().ok_or("in process memory there is no program")?;
    let mut insns = insn::load_value(Reg::R1, map.as_fd(), 0).to_vec();
    insns.extend([
        insn::load(Size::DW, Reg::R2, Reg::R1, 8),
        insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
        insn::mov_imm(Reg::R0, 0),
        insn::exit(),
    ]);
    Ok(Program::load(ProgramType::RawTracepoint, &insns)?.attach(c"sys_enter")?)
}

/// Prints ns per operation: through the mapping, and by the system call that does the same.
fn measure(globals: &Array<Globals>) {
    let view = globals.at(0);
    let store = nanoseconds(50_000_000, |n| view.step.store(n, Relaxed));
    let load = nanoseconds(50_000_000, |_| _ = black_box(view.counted.load(Relaxed)));
    let add = nanoseconds(20_000_000, |n| _ = view.counted.fetch_add(n, Relaxed));
    let Some(map) = globals.map() else {
        println!(
            "| operation | ns |\n|---|---|\n| store | {store:.2} |\n| load | {load:.2} |\n| fetch_add | {add:.2} |"
        );
        return;
    };
    let mut value = [0; size_of::<Globals>()];
    let update = nanoseconds(200_000, |n| map.update(0, &[n as u8; size_of::<Globals>()]).expect("an update"));
    let lookup = nanoseconds(200_000, |_| map.lookup(0, black_box(&mut value)).expect("a lookup"));
    println!("\n| one variable, ns | through the mapping | by system call | ratio |");
    println!("|---|---|---|---|");
    println!("| store, update_elem | {store:.2} | {update:.0} | {:.0} x |", update / store);
    println!("| load, lookup_elem | {load:.2} | {lookup:.0} | {:.0} x |", lookup / load);
    println!(
        "| fetch_add, lookup_elem + update_elem | {add:.2} | {:.0} | {:.0} x |",
        lookup + update,
        (lookup + update) / add
    );
}

/// The mean of `times` calls.
fn nanoseconds(times: u64, mut work: impl FnMut(u64)) -> f64 {
    let start = Instant::now();
    for n in 0..times {
        work(black_box(n));
    }
    start.elapsed().as_nanos() as f64 / times as f64
}
