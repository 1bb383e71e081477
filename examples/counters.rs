//! Hot counters: a BPF program counts system calls by their number, in 512 counters; several threads read them thousands of
//! times a second, at no cost to the program.
//!
//!     sudo -E cargo run --release --example counters

use std::cmp::Reverse;
use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use bpfvar::Array;
use bpfvar_testkit::insn::{self, Helper, Reg, Size};
use bpfvar_testkit::{Attached, Program, ProgramType};

fn main() -> Result<(), Box<dyn Error>> {
    let counters = Array::<u64>::builder().name("calls").entries(512).create()?;
    let _attached = count_by_number(&counters)?;

    let (done, samples, peak) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        // One thread looks a few thousand times a second for the busiest millisecond.
        scope.spawn(|| {
            let mut before = counters.sum(|counter| counter);
            while !done.load(Relaxed) {
                thread::sleep(Duration::from_micros(200));
                let now = counters.sum(|counter| counter);
                peak.fetch_max(now - before, Relaxed);
                before = now;
                samples.fetch_add(1, Relaxed);
            }
        });
        // This one shows the busiest system calls of each half second.
        let mut before = counters.snapshot();
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(500));
            let now = counters.snapshot();
            let mut busiest: Vec<_> = now.iter().zip(&before).map(|(now, before)| now - before).enumerate().collect();
            busiest.sort_by_key(|&(_, count)| Reverse(count));
            let shown: Vec<_> =
                busiest.iter().take(4).map(|(number, count)| format!("{number:3}: {count:6}")).collect();
            println!("busiest system calls, number: count   {}", shown.join("   "));
            before = now;
        }
        done.store(true, Relaxed);
    });
    println!("{} samples of all counters; at most {} calls between two", samples.into_inner(), peak.into_inner());
    Ok(())
}

/// `__u64 *counter = bpf_map_lookup_elem(&calls, &number); if (counter) __sync_fetch_and_add(counter, 1);`
fn count_by_number(counters: &Array<u64>) -> Result<Attached, Box<dyn Error>> {
    let map = counters.map().ok_or("in process memory there is no program")?;
    let mut insns = vec![
        insn::load(Size::DW, Reg::R6, Reg::R1, 8), // the tracepoint's second argument: the number
        insn::store(Size::W, Reg::R10, -4, Reg::R6),
        insn::mov(Reg::R2, Reg::R10),
        insn::add_imm(Reg::R2, -4),
    ];
    insns.extend(insn::load_map(Reg::R1, map.as_fd()));
    insns.extend([
        insn::call(Helper::MapLookupElem),
        insn::jump_eq(Reg::R0, 0, 2),
        insn::mov_imm(Reg::R1, 1),
        insn::atomic_add(Size::DW, Reg::R0, 0, Reg::R1),
        insn::mov_imm(Reg::R0, 0),
        insn::exit(),
    ]);
    Ok(Program::load(ProgramType::RawTracepoint, &insns)?.attach(c"sys_enter")?)
}
