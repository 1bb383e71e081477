//! Settings of a running program: a packet filter with a size limit among its globals, next to the counters that it keeps.
//! We move the limit while packets pass; no count is lost.
//!
//!     sudo -E cargo run --release --example config

use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use bpfvar::{Array, MapValue};
use bpfvar_testkit::Program;
use bpfvar_testkit::insn::{self, Reg, Size};

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Filter {
    passed: u64,
    dropped: u64,
    limit: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let filters = Array::<Filter>::builder().name("filter.data").create()?;
    let program = load(&filters)?;
    let filter = filters.at(0);
    filter.limit.store(1500, Relaxed);

    let done = AtomicBool::new(false);
    let packets = thread::scope(|scope| {
        // Traffic: test runs stand for packets of 64 bytes.
        let traffic = scope.spawn(|| {
            let mut packets = 0;
            while !done.load(Relaxed) {
                program.run(10_000);
                packets += 10_000;
            }
            packets
        });
        for limit in [1500, 40, 9000, 0] {
            let before = filter.read();
            filter.limit.store(limit, Relaxed);
            thread::sleep(Duration::from_millis(300));
            let now = filter.read();
            println!(
                "limit {limit:4}: passed {:8}, dropped {:8}",
                now.passed - before.passed,
                now.dropped - before.dropped
            );
        }
        done.store(true, Relaxed);
        traffic.join().expect("the traffic thread runs")
    });
    let seen = filter.read();
    println!("{packets} packets, {} counted", seen.passed + seen.dropped);
    assert_eq!(packets, seen.passed + seen.dropped, "moving the limit lost no count");
    Ok(())
}

/// `if (skb->len > limit) __sync_fetch_and_add(&dropped, 1); else __sync_fetch_and_add(&passed, 1);`
fn load(filters: &Array<Filter>) -> Result<Program, Box<dyn Error>> {
    let map = filters.map().ok_or("in process memory there is no program")?;
    let mut insns = vec![insn::load(Size::W, Reg::R6, Reg::R1, 0)];
    insns.extend(insn::load_value(Reg::R1, map.as_fd(), 0));
    insns.extend([
        insn::load(Size::W, Reg::R2, Reg::R1, 16),
        insn::mov_imm(Reg::R3, 1),
        insn::mov_imm(Reg::R0, 0),
        insn::jump_gt_reg(Reg::R6, Reg::R2, 2),
        insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R3),
        insn::exit(),
        insn::atomic_add(Size::DW, Reg::R1, 8, Reg::R3),
        insn::exit(),
    ]);
    Ok(Program::socket_filter(&insns))
}
