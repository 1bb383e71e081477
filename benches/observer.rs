//! What watching costs the programs that count, and what counting costs the CPUs: programs run on every CPU.

use std::hint::black_box;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use bpfvar::{Array, CacheLine, Map, Result};
use bpfvar_testkit::insn::{
    Helper, Insn, Reg, Size, add_imm, atomic_add, call, exit, load, load_map, mov, mov_imm, store,
};
use bpfvar_testkit::{Program, host, raw_map};

#[path = "support/figures.rs"]
mod figures;

use figures::{Effort, Figures, Role, Row, digits, middle};

const BPF_MAP_TYPE_PERCPU_ARRAY: u32 = 6;
/// Increments in each run of a program, so that they and not the run's start are most of it.
const INCREMENTS: u32 = 100;

fn main() {
    let effort = Effort::asked();
    if !host::ready((5, 5)) {
        return;
    }
    let mut figures = Figures::new("Observer");
    match watch(effort, &mut figures).and_then(|()| scale(effort, &mut figures)) {
        Ok(()) => figures.write(),
        Err(error) => println!("Observer: not measured: {error}"),
    }
}

/// How a watcher gets at the counters.
#[derive(Clone, Copy, PartialEq)]
enum Means {
    Mapping,
    SystemCall,
}

/// Programs that were watched so often in such a way.
#[derive(Default)]
struct Watched {
    often: &'static str,
    way: &'static str,
    /// [`Speed::own`].
    own: Vec<f64>,
    /// [`Speed::all`].
    all: Vec<f64>,
    /// Reads in a second. A watcher may be too slow for what it should do.
    reads: Vec<f64>,
    /// Hundredths of a CPU that the watcher used.
    cost: Vec<f64>,
}

/// A counter of each CPU, on its own cache line, is counted up by programs on all CPUs; one thread adds them up.
fn watch(effort: Effort, figures: &mut Figures) -> Result<()> {
    let cpus = host::cpus();
    let slots = cpus.last().expect("this runs on some CPU") + 1;
    let array = Array::<CacheLine<u64>>::builder().name("observed").entries(slots as u32).create()?;
    let map: &Map = array.map().expect("a map");
    let program = Program::socket_filter(&counting(map.as_fd(), Count::OfThisCpu));
    let by_call = |cpu: usize| {
        let mut line = [0; 64];
        map.lookup(cpu as u32, &mut line).expect("an entry");
        u64::from_ne_bytes(line[..8].try_into().expect("8 bytes"))
    };

    let lasts = lasts(effort);
    let mut rows: Vec<Watched> = Vec::new();
    for _ in 0..effort.turns() {
        for (often, a_millisecond) in [("0", 0), ("1,000", 1), ("1,000,000", 1_000)] {
            for (way, means) in [("by mapping", Means::Mapping), ("by system call", Means::SystemCall)] {
                if a_millisecond == 0 && means == Means::SystemCall {
                    continue;
                }
                let mut next = 0;
                let mut one = || {
                    let cpu = cpus[next % cpus.len()];
                    next += 1;
                    match means {
                        Means::Mapping => array.at(cpu).value.load(Relaxed),
                        Means::SystemCall => by_call(cpu),
                    }
                };
                let ((used, reads), speed) = on_all(&cpus, &program, || {
                    let (start, before, mut round) = (Instant::now(), host::on_cpu(), 0);
                    while start.elapsed() < lasts {
                        for _ in 0..a_millisecond {
                            black_box(one());
                        }
                        round += 1;
                        let next = start + Duration::from_millis(round);
                        thread::sleep(next.saturating_duration_since(Instant::now()));
                    }
                    let elapsed = start.elapsed().as_secs_f64();
                    ((host::on_cpu() - before).as_secs_f64() / elapsed, (round * a_millisecond) as f64 / elapsed)
                });
                let way = if a_millisecond == 0 { "not at all" } else { way };
                let known = rows.iter().position(|row| (row.often, row.way) == (often, way));
                let at = known.unwrap_or_else(|| {
                    rows.push(Watched { often, way, ..Watched::default() });
                    rows.len() - 1
                });
                rows[at].own.push(speed.own);
                rows[at].all.push(speed.all);
                rows[at].reads.push(reads);
                rows[at].cost.push(used * 100.0);
            }
        }
    }
    println!(
        "\n| counters read a second | | reached | increments/s of CPU time | of all CPUs | watcher, % of a CPU |\n|--:|---|--:|--:|--:|--:|"
    );
    for Watched { often, way, own, all, reads, cost } in &rows {
        let [reached, rate, total, used] = [reads, own, all, cost].map(|values| digits(middle(values.clone())));
        println!("| {often} | {way} | {reached} | {rate} | {total} | {used} |");
        let role = match *way {
            "by mapping" => Role::Subject,
            "by system call" => Role::Call,
            _ => Role::Limit,
        };
        let at = Some(often.replace(',', "").parse().expect("a number"));
        let mut add = |operation, unit, values| figures.add(&Row { operation, way, role, unit, at, values });
        add("watched programs", "increments/s of CPU time", own);
        add("watched programs on all CPUs", "increments/s", all);
        add("the watcher", "% of a CPU", cost);
        add("the watcher's reads", "reads/s", reads);
    }
    Ok(())
}

/// What a program counts in.
#[derive(Clone, Copy, PartialEq)]
enum Count {
    /// Entry 0, by atomic additions.
    Shared,
    /// The entry that has the number of the CPU.
    OfThisCpu,
    /// Entry 0 of an array that the kernel has one of for each CPU.
    OfTheKernel,
}

/// Programs on 1, 2, ... CPUs, whose counters are one, or side by side, or each on its cache line.
fn scale(effort: Effort, figures: &mut Figures) -> Result<()> {
    let cpus = host::cpus();
    let slots = *cpus.last().expect("this runs on some CPU") as u32 + 1;
    let shared = Array::<u64>::builder().name("shared").create()?;
    let packed = Array::<u64>::builder().name("packed").entries(slots).create()?;
    let lines = Array::<CacheLine<u64>>::builder().name("lines").entries(slots).create()?;
    let of_kernel = raw_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0).expect("a map");
    let [shared, packed, lines] = [shared.map(), packed.map(), lines.map()].map(|map| map.expect("a map").as_fd());
    let ways = [
        ("one counter, atomic", Role::Call, counting(shared, Count::Shared)),
        ("one each, side by side", Role::Call, counting(packed, Count::OfThisCpu)),
        ("CacheLine, PerCpu", Role::Subject, counting(lines, Count::OfThisCpu)),
        ("PERCPU_ARRAY, not mappable", Role::Limit, counting(of_kernel.as_fd(), Count::OfTheKernel)),
    ];
    let ways = ways.map(|(name, role, insns)| (name, role, Program::socket_filter(&insns)));

    let mut numbers: Vec<usize> = (0..).map(|power| 1 << power).take_while(|&number| number < cpus.len()).collect();
    numbers.push(cpus.len());
    let mut rates = vec![vec![Vec::new(); numbers.len()]; ways.len()];
    for _ in 0..effort.turns() {
        for (at, &number) in numbers.iter().enumerate() {
            for ((.., program), rates) in ways.iter().zip(&mut rates) {
                let ((), speed) = on_all(&cpus[..number], program, || thread::sleep(lasts(effort)));
                rates[at].push(speed.own * number as f64);
            }
        }
    }
    println!("\n| increments/s of all CPUs | CPUs | |\n|---|--:|--:|");
    for ((way, role, _), rates) in ways.iter().zip(&rates) {
        for (&number, values) in numbers.iter().zip(rates) {
            println!("| {way} | {number} | {} |", digits(middle(values.clone())));
            let at = Some(number as u64);
            figures.add(&Row { operation: "scaling", way, role: *role, unit: "increments/s", at, values });
        }
    }
    Ok(())
}

fn lasts(effort: Effort) -> Duration {
    Duration::from_millis(match effort {
        Effort::Test => 5,
        Effort::Quick => 50,
        Effort::Full => 400,
    })
}

/// A program that adds 1 to its counter so many times.
fn counting(map: BorrowedFd<'_>, count: Count) -> Vec<Insn> {
    let mut insns = vec![mov_imm(Reg::R0, 0)];
    if count == Count::OfThisCpu {
        insns.push(call(Helper::GetSmpProcessorId));
    }
    insns.extend([store(Size::W, Reg::R10, -4, Reg::R0), mov(Reg::R2, Reg::R10), add_imm(Reg::R2, -4)]);
    insns.extend(load_map(Reg::R1, map));
    insns.push(call(Helper::MapLookupElem));
    // Where there is no entry, the program ends.
    insns.extend([Insn::raw(0x55, 0, 0, 1, 0), exit()]);
    for _ in 0..INCREMENTS {
        match count {
            Count::Shared => insns.extend([mov_imm(Reg::R1, 1), atomic_add(Size::DW, Reg::R0, 0, Reg::R1)]),
            // Nobody else writes it.
            Count::OfThisCpu | Count::OfTheKernel => insns.extend([
                load(Size::DW, Reg::R1, Reg::R0, 0),
                add_imm(Reg::R1, 1),
                store(Size::DW, Reg::R0, 0, Reg::R1),
            ]),
        }
    }
    insns.extend([mov_imm(Reg::R0, 0), exit()]);
    insns
}

/// How fast programs count.
struct Speed {
    /// Increments of a CPU in a second of the program's time on it.
    own: f64,
    /// Increments of all CPUs in a second of the clock: what others take of the CPUs is missing.
    all: f64,
}

/// Does `work` while the program runs on these CPUs. Returns what it returned, and how fast the programs were.
fn on_all<R>(cpus: &[usize], program: &Program, work: impl FnOnce() -> R) -> (R, Speed) {
    const AT_ONCE: u32 = 1_000;
    let done = AtomicBool::new(false);
    let run = |cpu| {
        host::pin_to(cpu);
        let (start, before, mut increments) = (Instant::now(), host::on_cpu(), 0.0);
        while !done.load(Relaxed) {
            program.run(AT_ONCE);
            increments += f64::from(AT_ONCE * INCREMENTS);
        }
        [host::on_cpu() - before, start.elapsed()].map(|spent| increments / spent.as_secs_f64())
    };
    let run = &run;
    thread::scope(|scope| {
        let threads: Vec<_> = cpus.iter().map(|&cpu| scope.spawn(move || run(cpu))).collect();
        let result = work();
        done.store(true, Relaxed);
        let mut speed = Speed { own: 0.0, all: 0.0 };
        for thread in threads {
            let [own, all] = thread.join().expect("it ran");
            speed.own += own / cpus.len() as f64;
            speed.all += all;
        }
        (result, speed)
    })
}
