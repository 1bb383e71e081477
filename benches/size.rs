//! Cost against size: a map of 1 page to 1 GiB is made, mapped, looked at through a window, touched and unmapped; 1 to 10,000 maps
//! are made and listed. Each is timed alone, as the large ones take too long for criterion's samples.

use std::hint::black_box;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bpfvar::{Array, Globals, Map, Result};
use bpfvar_testkit::{host, raw_map};
use memmap2::{MmapOptions, MmapRaw};

#[path = "support/figures.rs"]
mod figures;

use figures::{Effort, Figures, Role, Row, digits, middle};

/// Pages of a map. The last are 1 GiB where a page is 4 KiB.
const SIZES: [usize; 6] = [1, 16, 256, 4096, 65_536, 262_144];
/// Maps on the system.
const NUMBERS: [usize; 5] = [1, 10, 100, 1_000, 10_000];

const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_F_MMAPABLE: u32 = 1 << 10;

fn main() {
    let effort = Effort::asked();
    if !host::ready((5, 5)) {
        return;
    }
    host::pin_to(*host::cpus().last().expect("this runs on some CPU"));
    let mut bench = Size { effort, rows: Vec::new() };
    match sizes(&mut bench).and_then(|()| numbers(&mut bench)) {
        Ok(()) => bench.report(),
        Err(error) => println!("Size: not measured: {error}"),
    }
}

struct Size {
    effort: Effort,
    rows: Vec<Timed>,
}

/// A way to do an operation, timed at one size.
struct Timed {
    operation: &'static str,
    way: &'static str,
    role: Role,
    unit: &'static str,
    at: usize,
    values: Vec<f64>,
}

impl Size {
    fn add(
        &mut self,
        (operation, way, role): (&'static str, &'static str, Role),
        unit: &'static str,
        at: usize,
        value: f64,
    ) {
        let known = self.rows.iter_mut().find(|row| (row.operation, row.way, row.at) == (operation, way, at));
        match known {
            Some(row) => row.values.push(value),
            None => self.rows.push(Timed { operation, way, role, unit, at, values: vec![value] }),
        }
    }

    /// Times the making of something, and its end, each a few times if it is short.
    fn time<T>(
        &mut self,
        made: (&'static str, &'static str, Role),
        ended: Option<(&'static str, &'static str, Role)>,
        at: usize,
        make: impl Fn() -> Result<T>,
    ) -> Result<()> {
        let enough = if self.effort == Effort::Full { Duration::from_millis(10) } else { Duration::ZERO };
        let (start, mut times) = (Instant::now(), [Vec::new(), Vec::new()]);
        loop {
            let begin = Instant::now();
            let it = make()?;
            let middle = Instant::now();
            drop(it);
            for (times, spent) in times.iter_mut().zip([middle - begin, middle.elapsed()]) {
                times.push(spent.as_nanos() as f64);
            }
            if start.elapsed() >= enough {
                break;
            }
        }
        let [making, ending] = times.map(middle);
        self.add(made, "ns", at, making);
        if let Some(ended) = ended {
            self.add(ended, "ns", at, ending);
        }
        Ok(())
    }

    fn report(&self) {
        let mut figures = Figures::new("Size");
        println!("\n| Size | at | | |\n|---|--:|--:|---|");
        for Timed { operation, way, role, unit, at, values } in &self.rows {
            println!("| {operation}: {way} | {at} | {} | {unit} |", digits(middle(values.clone())));
            figures.add(&Row { operation, way, role: *role, unit, at: Some(*at as u64), values });
        }
        figures.write();
    }
}

fn sizes(bench: &mut Size) -> Result<()> {
    let largest = match bench.effort {
        Effort::Test => 16,
        Effort::Quick => 4096,
        Effort::Full => usize::MAX,
    };
    for pages in SIZES.into_iter().filter(|&pages| pages <= largest) {
        // A map is freed a little after it is dropped, so a few of them are there at once.
        if pages * host::page_size() >= 1 << 28 && !host::has_memory(8) {
            continue;
        }
        for _ in 0..bench.effort.turns() {
            size(bench, pages)?;
        }
    }
    Ok(())
}

fn size(bench: &mut Size, pages: usize) -> Result<()> {
    use Role::{Call, Limit, Subject};
    let bytes = pages * host::page_size();
    let entries = (bytes / size_of::<u64>()) as u32;
    bench.time(("create", "Array::builder", Subject), None, pages, || {
        Array::<u64>::builder().name("size").entries(entries).create()
    })?;
    bench.time(("create", "BPF_MAP_CREATE", Call), None, pages, || {
        Ok(raw_map(BPF_MAP_TYPE_ARRAY, 4, 8, entries, BPF_F_MMAPABLE).expect("a map"))
    })?;

    let array = Array::<u64>::builder().name("size").entries(entries).create()?;
    let map: &Map = array.map().expect("a map");
    let options = |populate: bool| {
        let mut options = MmapOptions::new();
        options.len(bytes);
        if populate {
            options.populate();
        }
        options
    };
    for (way, populate) in [("mmap", false), ("mmap, MAP_POPULATE", true)] {
        bench.time(("map", way, Limit), Some(("unmap", way, Limit)), pages, || {
            Ok(options(populate).map_raw(map.as_fd().as_raw_fd()).expect("a map that can be mapped"))
        })?;
    }
    let ours = "Array::from_borrowed_fd";
    bench
        .time(("map", ours, Subject), Some(("unmap", ours, Subject)), pages, || Array::<u64>::from_borrowed_fd(map))?;
    let window = entries / 2..entries / 2 + (host::page_size() / size_of::<u64>()) as u32;
    let window = if pages == 1 { 0..entries } else { window };
    bench.time(("map", "Array::from_map_window, 1 page", Subject), None, pages, || {
        Array::<u64>::from_map_window(Map::from_borrowed_fd(map)?, window.clone())
    })?;
    touch(bench, &Array::<u64>::from_borrowed_fd(map)?, pages);
    Ok(())
}

/// Reads a word of each page of a mapping that nobody has touched.
fn touch(bench: &mut Size, fresh: &Array<u64>, pages: usize) {
    let (start, before) = (Instant::now(), host::page_faults());
    for page in 0..pages {
        black_box(fresh.at(page * host::page_size() / size_of::<u64>()).load(Relaxed));
    }
    let (faults, spent) = (host::page_faults() - before, start.elapsed());
    let row = ("touch", "Array, a word of each page", Role::Subject);
    bench.add(row, "ns", pages, spent.as_nanos() as f64);
    bench.add(("page faults", row.1, row.2), "page faults", pages, faults as f64);
}

/// Other maps of the system are listed, too: what is measured is right where there are few of them.
fn numbers(bench: &mut Size) -> Result<()> {
    use Role::{Limit, Subject};
    let most = match bench.effort {
        Effort::Test => 10,
        Effort::Quick => 1_000,
        Effort::Full => usize::MAX,
    };
    host::limit_descriptors(1 << 14);
    for number in NUMBERS.into_iter().filter(|&number| number <= most) {
        for _ in 0..bench.effort.turns().min(3) {
            let start = Instant::now();
            let maps = (0..number).map(|_| Array::<[u32; 4]>::builder().name("listed").create());
            let maps = maps.collect::<Result<Vec<_>>>()?;
            bench.add(("create maps", "Array::builder", Subject), "ns", number, start.elapsed().as_nanos() as f64);
            // A mapping keeps a map without a descriptor, of which a process may have few; listing needs one for each.
            let maps: Vec<MmapRaw> = maps.into_iter().map(|array| mapping(array.map().expect("a map"))).collect();
            bench.time(("list", "Map::from_id of each", Limit), None, number, || {
                // Maps of others may be gone before they are opened.
                Ok(Map::ids().filter_map(|id| Map::from_id(id.ok()?).ok()).collect::<Vec<_>>())
            })?;
            bench.time(("list", "Globals::of_system", Subject), None, number, Globals::of_system)?;
            drop(maps);
        }
    }
    Ok(())
}

fn mapping(map: &Map) -> MmapRaw {
    MmapOptions::new().len(host::page_size()).map_raw(map.as_fd().as_raw_fd()).expect("a map that can be mapped")
}
