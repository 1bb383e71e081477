//! Beside a program that runs: what it loses while a variable next to its own is changed, and what reading 64 counters a thousand
//! times a second costs reader and program.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::hint::black_box;
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
    let cpus = host::cpus();
    host::pin_to(cpus[cpus.len() - 1]);
    let cilium = Cilium::start();
    let cilium = cilium.as_ref();
    let mut bench = Beside { effort, elsewhere: cpus[0], figures: Figures::new("Beside a program") };
    lost(&mut bench, cilium);
    poll(&mut bench, cilium);
    bench.figures.write();
}

struct Beside {
    effort: Effort,
    /// The CPU of the programs.
    elsewhere: usize,
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

/// A way to change a variable beside a program that counts.
struct Way<'a> {
    name: &'static str,
    role: Role,
    program: &'a Program,
    /// What the program has counted.
    packets: Box<dyn FnMut() -> u64 + 'a>,
    change: Box<dyn FnMut() + 'a>,
}

/// A program counts in `packets` by atomic additions, while `neighbour` in the same section is changed over and over.
fn lost(bench: &mut Beside, cilium: Option<&Cilium>) {
    let mut storage = MaybeUninit::uninit();
    let mut skeleton = section::by_libbpf_rs(&mut storage);
    let globals = Globals::by_fd(&skeleton.progs.count).expect("it is loaded");
    let [neighbour, packets] = ["neighbour", "packets"].map(|name| globals.var(name).expect("the program has it"));
    assert_eq!((packets.offset(), neighbour.offset()), (PACKETS as u64, NEIGHBOUR as u64));
    let bss = neighbour.map().as_map();
    assert_eq!(bss.info().value_size as usize, SECTION);
    let [ours, packets] = [&neighbour, &packets].map(|var| var.bind::<u64, ReadWrite>().expect("they are u64"));
    // SAFETY: an array of one entry, of so many bytes, as all values below are.
    let kernel = unsafe { kernel::Entries::new(bss) };
    let theirs = skeleton.maps.bss_data.as_deref_mut().expect("a skeleton maps its sections");
    let theirs = &raw mut theirs.neighbour;
    let (libbpf_rs, key, id) = (&skeleton.maps.bss, 0_u32.to_ne_bytes(), bss.info().id);
    let program = runnable(&skeleton.progs.count);

    let mut ebpf = section::by_aya();
    let aya = RefCell::new(section::of_aya::<SECTION>(&mut ebpf, ".bss"));
    let AyaProgram::SocketFilter(of_aya) = ebpf.program("count").expect("it has one") else {
        panic!("a socket filter")
    };
    let program_of_aya = runnable(of_aya.fd().expect("it is loaded"));

    let counted = || packets.load(Relaxed);
    let way = |name, role, change| Way { name, role, program: &program, packets: Box::new(counted), change };
    let mut ways = vec![
        way("bpfvar, Shared::store", Role::Subject, Box::new(|| ours.store(7, Relaxed)) as Box<dyn FnMut()>),
        way(
            "libbpf (C) or libbpf-rs, skeleton",
            Role::Peer,
            // SAFETY: valid for as long as the skeleton lives. A volatile store, as what programs do meanwhile no `&mut` bears.
            Box::new(|| unsafe { theirs.write_volatile(7) }),
        ),
        way(
            "libbpf-rs, Map::lookup, update",
            Role::Peer,
            Box::new(|| {
                let mut section = [0; SECTION];
                libbpf_rs.lookup_into(&key, &mut section, MapFlags::ANY).expect("it works");
                section[NEIGHBOUR..][..8].copy_from_slice(&7_u64.to_ne_bytes());
                libbpf_rs.update(&key, &section, MapFlags::ANY).expect("it works");
            }),
        ),
        Way {
            name: "aya, Array::get, set",
            role: Role::Peer,
            program: &program_of_aya,
            packets: Box::new(|| {
                let section = aya.borrow().get(&0, 0).expect("it works");
                u64::from_ne_bytes(section[PACKETS..][..8].try_into().expect("8 bytes"))
            }),
            change: Box::new(|| {
                let mut section = aya.borrow().get(&0, 0).expect("it works");
                section[NEIGHBOUR..][..8].copy_from_slice(&7_u64.to_ne_bytes());
                aya.borrow_mut().set(0, section, 0).expect("it works");
            }),
        },
        way(
            "bpf(2), lookup, update",
            Role::Call,
            Box::new(|| {
                let mut section = [0_u8; SECTION];
                kernel.lookup(0, &mut section);
                section[NEIGHBOUR..][..8].copy_from_slice(&7_u64.to_ne_bytes());
                kernel.update(0, &section);
            }),
        ),
    ];
    if let Some(cilium) = cilium {
        let change = Box::new(|| {
            cilium.run("change", id, NEIGHBOUR, 1);
        });
        ways.push(way("cilium/ebpf, Map.Lookup, Update", Role::Peer, change));
    }

    let runs: u32 = match bench.effort {
        Effort::Test => 1_000,
        Effort::Quick => 1_000_000,
        Effort::Full => 2_000_000,
    };
    let (mut lost, mut rate) = (Turns::new("of a million"), Turns::new("changes/s"));
    for _ in 0..bench.effort.turns() {
        for Way { name, role, program, packets, change } in &mut ways {
            let (before, start) = (packets(), Instant::now());
            let mut changes = 0_u32;
            let ended = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    host::pin_to(bench.elsewhere);
                    program.run(runs);
                    ended.store(true, Relaxed);
                });
                while !ended.load(Relaxed) {
                    change();
                    changes += 1;
                }
            });
            rate.add(name, *role, f64::from(changes) / start.elapsed().as_secs_f64());
            let counted = packets() - before;
            lost.add(name, *role, (f64::from(runs) - counted as f64) * 1e6 / f64::from(runs));
        }
    }
    bench.report("increments lost while a neighbour is changed", &lost);
    bench.report("changes of the neighbour", &rate);
}

/// A program of a loader, as what runs it here.
fn runnable(program: impl AsFd) -> Program {
    Program::from(program.as_fd().try_clone_to_owned().expect("a descriptor is left"))
}

/// A reader of all counters. Returns their sum.
type Reader<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// A program counts in 64 counters, which are all read every millisecond.
fn poll(bench: &mut Beside, cilium: Option<&Cilium>) {
    let array = Array::<u64>::builder().name("counters").entries(COUNTERS as u32).create().expect("a map");
    let map: &Map = array.map().expect("a map");
    let program = Program::socket_filter(&counting(map));
    // SAFETY: an array of u64, as all values below are.
    let kernel = unsafe { kernel::Entries::new(map) };
    let libbpf_rs = MapHandle::from_map_id(map.info().id).expect("it is there");
    let fd = map.as_fd().try_clone_to_owned().expect("a descriptor is left");
    let aya = AyaArray::<_, u64>::try_from(AyaMap::Array(MapData::from_fd(fd).expect("a map"))).expect("an array");
    let (mut keys, mut values) = (vec![0; COUNTERS], vec![0; COUNTERS]);

    let mut readers: Vec<(&'static str, Role, Reader<'_>)> = vec![
        ("no library, only the timer", Role::Limit, Box::new(|| 0)),
        ("bpfvar, Array::sum", Role::Subject, Box::new(|| array.sum(|counter| counter))),
        (
            "libbpf-rs, Map::lookup_into of each",
            Role::Peer,
            Box::new(|| {
                let of_key = |key: u32| {
                    let mut value = [0; 8];
                    libbpf_rs.lookup_into(&key.to_ne_bytes(), &mut value, MapFlags::ANY).expect("it works");
                    u64::from_ne_bytes(value)
                };
                (0..COUNTERS as u32).map(of_key).sum()
            }),
        ),
        (
            "libbpf-rs, Map::lookup_batch",
            Role::Peer,
            Box::new(|| {
                let all = libbpf_rs.lookup_batch(COUNTERS as u32, MapFlags::ANY, MapFlags::ANY).expect("it works");
                all.map(|(_, value)| u64::from_ne_bytes(value.try_into().expect("8 bytes"))).sum()
            }),
        ),
        ("aya, Array::iter", Role::Peer, Box::new(|| aya.iter().map(|value| value.expect("it works")).sum())),
        (
            "bpf(2), batch",
            Role::Call,
            Box::new(|| {
                kernel.lookup_batch(&mut keys, &mut values);
                values.iter().sum()
            }),
        ),
    ];
    let rounds: u64 = match bench.effort {
        Effort::Test => 2,
        Effort::Quick => 100,
        Effort::Full => 500,
    };
    let (mut cost, mut rate) = (Turns::new("µs of CPU time a round"), Turns::new("million runs/s of CPU time"));
    for _ in 0..bench.effort.turns() {
        let (_, alone) = beside(&program, bench.elsewhere, || thread::sleep(Duration::from_millis(rounds)));
        rate.add("nobody reads", Role::Limit, alone);
        for (name, role, read) in &mut readers {
            let (used, runs) = beside(&program, bench.elsewhere, || {
                let (start, before) = (Instant::now(), host::on_cpu());
                for round in 1..=rounds {
                    black_box(read());
                    thread::sleep((start + Duration::from_millis(round)).saturating_duration_since(Instant::now()));
                }
                host::on_cpu() - before
            });
            cost.add(name, *role, used.as_secs_f64() * 1e6 / rounds as f64);
            rate.add(name, *role, runs);
        }
        if let Some(cilium) = cilium {
            let (name, id) = ("cilium/ebpf, Map.Lookup of each", map.info().id);
            let (used, runs) = beside(&program, bench.elsewhere, || cilium.run("poll", id, 0, rounds));
            cost.add(name, Role::Peer, used.as_secs_f64() * 1e6 / rounds as f64);
            rate.add(name, Role::Peer, runs);
        }
    }
    bench.report("read 64 counters 1,000 times a second, the reader", &cost);
    bench.report("read 64 counters 1,000 times a second, the program", &rate);
}

/// Adds 1 to every counter.
fn counting(map: impl AsFd) -> Vec<Insn> {
    let mut insns = Vec::new();
    for key in 0..COUNTERS as u32 {
        insns.extend(lookup(map.as_fd(), key));
        insns.extend([mov_imm(Reg::R1, 1), atomic_add(Size::DW, Reg::R0, 0, Reg::R1)]);
    }
    insns.extend([mov_imm(Reg::R0, 0), exit()]);
    insns
}

/// Does `work` while a program runs on another CPU. Returns what it returned, and the millions of runs in a
/// second of the program's CPU time.
fn beside<R>(program: &Program, elsewhere: usize, work: impl FnOnce() -> R) -> (R, f64) {
    const AT_ONCE: u32 = 5_000;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let runner = scope.spawn(|| {
            host::pin_to(elsewhere);
            let (before, mut runs) = (host::on_cpu(), 0.0);
            while !done.load(Relaxed) {
                program.run(AT_ONCE);
                runs += f64::from(AT_ONCE);
            }
            runs / (host::on_cpu() - before).as_secs_f64() / 1e6
        });
        let result = work();
        done.store(true, Relaxed);
        (result, runner.join().expect("it ran"))
    })
}
