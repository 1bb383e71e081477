//! Beside a program that runs: what it loses while a variable next to its own is changed, and what reading 64 counters a thousand
//! times a second costs reader and program.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use aya::maps::{Array as AyaArray, Map as AyaMap, MapData};
use aya::programs::Program as AyaProgram;
use bpfvar::{Array, Globals, Map, ReadWrite};
use bpfvar_objects::Source;
use bpfvar_testkit::insn::{Insn, Reg, Size, atomic_add, exit, lookup, mov_imm};
use bpfvar_testkit::{Program, host};
use libbpf_rs::{MapCore, MapFlags, MapHandle};

#[allow(dead_code, reason = "other benches use more of it")]
mod support;

use support::cilium::Cilium;
use support::comparison::figures::{Effort, Figures, Role, Row, digits, middle};
use support::{kernel, section};

/// Bytes of the section `.bss` of `count.bpf.c`, and where its `packets` and `neighbour` are.
const SECTION: usize = 145;
const PACKETS: usize = 0;
const NEIGHBOUR: usize = 136;
/// Counters that are read every millisecond.
const COUNTERS: usize = 64;

fn main() {
    let effort = Effort::asked();
    if !host::ready(Source::Count.needs()) || !host::has_cpus(2) {
        return;
    }
    // Readers and writers are here, the program is elsewhere.
    host::pin_to(*host::cpus().last().expect("this runs on some CPU"));
    let cilium = Cilium::start();
    let cilium = cilium.as_ref();
    let mut bench = Beside { effort, figures: Figures::new("Beside a program") };
    lost(&mut bench, cilium);
    poll(&mut bench, cilium);
    bench.figures.write();
}

struct Beside {
    effort: Effort,
    figures: Figures,
}

/// One figure of each way, in turns.
struct Turns {
    unit: &'static str,
    ways: Vec<(&'static str, Role, Vec<f64>)>,
}

impl Turns {
    fn new(unit: &'static str) -> Turns {
        Turns { unit, ways: Vec::new() }
    }

    fn add(&mut self, way: &'static str, role: Role, value: f64) {
        match self.ways.iter_mut().find(|(name, ..)| *name == way) {
            Some((_, _, values)) => values.push(value),
            None => self.ways.push((way, role, vec![value])),
        }
    }
}

impl Beside {
    fn report(&mut self, operation: &str, turns: &Turns) {
        let Turns { unit, ways } = turns;
        println!("\n| {operation} | {unit} |\n|---|--:|");
        for (way, role, values) in ways {
            println!("| {way} | {} |", digits(middle(values.clone())));
            self.figures.add(&Row { operation, way, role: *role, unit, at: None, values });
        }
    }
}

/// A program counts in `packets` by atomic additions, while `neighbour` in the same section is changed over and over.
fn lost(bench: &mut Beside, cilium: Option<&Cilium>) {
    let runs: u32 = match bench.effort {
        Effort::Test => 1_000,
        Effort::Quick => 200_000,
        Effort::Full => 2_000_000,
    };
    let mut storage = MaybeUninit::uninit();
    let mut skeleton = section::by_libbpf_rs(&mut storage);
    let globals = Globals::by_fd(&skeleton.progs.count).expect("it is loaded");
    let [neighbour, packets] = ["neighbour", "packets"].map(|name| globals.var(name).expect("the program has it"));
    assert_eq!((packets.offset(), neighbour.offset()), (PACKETS as u64, NEIGHBOUR as u64));
    let bss = neighbour.map().as_map();
    assert_eq!(bss.info().value_size as usize, SECTION);
    let [neighbour, packets] = [neighbour, packets].map(|var| var.bind::<u64, ReadWrite>().expect("they are u64"));
    // SAFETY: an array of one entry, of so many bytes, as all values below are.
    let kernel = unsafe { kernel::Entries::new(bss) };
    let theirs = std::ptr::from_mut(skeleton.maps.bss_data.as_deref_mut().expect("a skeleton maps its sections"));
    let (libbpf_rs, key, id) = (&skeleton.maps.bss, 0_u32.to_ne_bytes(), bss.info().id);
    let program = runnable(&skeleton.progs.count);

    let mut ebpf = section::by_aya();
    let mut aya = section::of_aya::<SECTION>(&mut ebpf, ".bss");
    let AyaProgram::SocketFilter(of_aya) = ebpf.program("count").expect("it has one") else { panic!("a socket filter") };
    let program_of_aya = runnable(of_aya.fd().expect("it is loaded"));

    let (mut turns, mut changes) = (Turns::new("lost of a million"), Turns::new("changes"));
    for _ in 0..bench.effort.turns() {
        let mut way = |name, role, program: &Program, reset: &mut dyn FnMut(), change: &mut dyn FnMut(), counted: &mut dyn FnMut() -> u64| {
            reset();
            let ran = AtomicBool::new(false);
            let changed = thread::scope(|scope| {
                scope.spawn(|| {
                    host::pin_to(host::cpus_of_machine()[0]);
                    program.run(runs);
                    ran.store(true, Relaxed);
                });
                let mut changed = 0_u32;
                while !ran.load(Relaxed) {
                    change();
                    changed += 1;
                }
                changed
            });
            let lost = u64::from(runs) - counted();
            turns.add(name, role, lost as f64 * 1e6 / f64::from(runs));
            changes.add(name, role, f64::from(changed));
        };
    }
}
