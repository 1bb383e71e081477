//! docs/benchmarks.md: what was measured in words, tables and charts.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::charts::{self, Bar, Group, Scale};
use crate::figures::{Bench, Figures, Role, Row};
use crate::fit::Line;
use crate::footprint::Footprint;
use crate::numbers::{bytes, count, digits, grouped, time};

/// What a run has beside the figures of the benches.
#[derive(Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) machine: Vec<(String, String)>,
    pub(crate) footprint: Vec<Footprint>,
    pub(crate) quick: bool,
}

/// Bytes of a page, for the axis: what x86-64 has.
const PAGE: f64 = 4096.0;

pub(crate) fn write(out: &Path, run: &Run, figures: &Figures) -> Result<()> {
    let mut text = String::from(HEAD);
    if run.quick {
        text += "\n**This was a quick run, to try it. Its figures say little.**\n";
    }
    text += "\n| | |\n|---|---|\n";
    for (name, value) in &run.machine {
        writeln!(text, "| {name} | {value} |")?;
    }
    peers(out, &mut text, figures.bench("Peers")?)?;
    beside(out, &mut text, figures.bench("Beside a program")?)?;
    observer(out, &mut text, figures.bench("Observer")?)?;
    size(out, &mut text, figures.bench("Size")?)?;
    footprint(&mut text, &run.footprint)?;
    text += LIMIT;
    for title in
        ["One value", "Many values", "Globals", "Values that change together", "A map's life", "Processes", "Scrapes"]
    {
        // A bench that another machine cannot run, as it has no bpftool, leaves the others.
        if let Ok(bench) = figures.bench(title) {
            text += &against_limit(bench);
        }
    }
    fs::write(out.join("benchmarks.md"), text)?;
    Ok(())
}

const HEAD: &str = "# Benchmarks

This file and its charts are written by one command, which takes about 20 minutes:

```console
$ sudo -E cargo xtask bench
```

All ways to do an operation are measured in the same run and take turns, seven times. A figure is the median of the turns; a ratio is
the median of the ratios within a turn, so that what slows the machine for a while slows both sides. Times depend on the machine, and so
does the ratio of a memory access to a system call: 260 on one, 1,100 and more on another, because some kernels and hypervisors make
system calls dearer. `cargo xtask bench --quick` tries the command, and measures little.
";

fn peers(out: &Path, text: &mut String, bench: &Bench) -> Result<()> {
    text.push_str(
        "\n## Beside other libraries\n\n![the time of one operation by each library](bench-peers.svg)\n\n\
        The same work on the same kind of map. Ours, the raw pointer and the skeletons access mapped memory; all others make a system\n\
        call. libbpf in C is called through its own functions, which `libbpf-sys` declares, and a skeleton in C is a pointer from\n\
        `bpf_map__initial_value`. The skeleton of libbpf-rs is one that libbpf-cargo generates. cilium/ebpf runs in a process of its own,\n\
        in Go, which times its own loop; the version of Debian 12 cannot map, versions from 0.17 on can. Where a library has a way\n\
        without an allocation, it is that one. `peers/benches/access.rs` has the code.\n",
    );
    let mut groups = Vec::new();
    for operation in bench.operations() {
        let rows = bench.of(operation);
        let ours = ours(&rows)?;
        writeln!(text, "\n| {operation} | time | beside bpfvar |\n|---|--:|--:|")?;
        for row in &rows {
            writeln!(text, "| {} | {} | {}x |", row.way, time(row.median()), digits(row.ratio(ours)))?;
        }
        if ["change one variable of a program", "get a u64", "read 512 u64"].contains(&operation) {
            let bars = rows.iter().map(|row| Bar {
                label: row.way.clone(),
                role: row.role,
                value: row.median(),
                text: format!("{} · {}x", time(row.median()), digits(row.ratio(ours))),
            });
            groups.push(Group { heading: operation.to_owned(), bars: bars.collect() });
        }
    }
    // What README shows comes first.
    groups.reverse();
    let axis = "time of one operation, and beside bpfvar's; the axis is logarithmic";
    charts::bars(
        &out.join("bench-peers.svg"),
        "Access to BPF maps and variables",
        axis,
        Scale::Logarithmic(time),
        &groups,
    )
}

fn ours<'b>(rows: &[&'b Row]) -> Result<&'b Row> {
    let ours = rows.iter().find(|row| row.role == Role::Subject);
    ours.copied().ok_or_else(|| "a comparison without bpfvar".into())
}

fn beside(out: &Path, text: &mut String, bench: &Bench) -> Result<()> {
    text.push_str(
        "\n## What a program loses\n\n![increments lost](bench-lost.svg)\n\n\
        A program on one CPU counts in a variable, by atomic additions. On another CPU a library changes the variable next to it in the\n\
        same section, as often as it can. Who has to write the whole section writes back an old count: increments are lost. This is\n\
        correctness, not speed. A store to one variable loses none (`peers/benches/beside.rs`).\n\n\
        | changed by | increments lost of a million | changes a second |\n|---|--:|--:|\n",
    );
    let (lost, changes) = ("increments lost while a neighbour is changed", bench.of("changes of the neighbour"));
    for (lost, changes) in bench.of(lost).iter().zip(changes) {
        writeln!(text, "| {} | {} | {} |", lost.way, digits(lost.median()), count(changes.median()))?;
    }
    let bars = bench.of(lost).into_iter().map(|row| Bar {
        label: row.way.clone(),
        role: row.role,
        value: row.median() / 1e4,
        text: format!("{} %", digits(row.median() / 1e4)),
    });
    charts::bars(
        &out.join("bench-lost.svg"),
        "Increments that a running program loses",
        "of all, while another CPU changes a neighbouring variable in a loop",
        Scale::Linear,
        &[Group { heading: String::new(), bars: bars.collect() }],
    )?;

    text.push_str(
        "\n## Reading 64 counters a thousand times a second\n\n\
        A program on one CPU adds to 64 counters in each run; a reader on another CPU reads them all every millisecond and sleeps in\n\
        between. The timer alone is what sleeping and waking cost.\n\n\
        | read by | reader's CPU time a round | of a CPU | runs of the program in a second of its CPU time | of those unread |\n\
        |---|--:|--:|--:|--:|\n",
    );
    let cost = bench.of("read 64 counters 1,000 times a second, the reader");
    let rates = bench.of("read 64 counters 1,000 times a second, the program");
    for rate in &rates {
        let cost = cost.iter().find(|cost| cost.way == rate.way);
        let [each, part] = cost.map_or_else(Default::default, |cost| {
            let us = cost.median();
            [format!("{} µs", digits(us)), format!("{} %", digits(us / 10.0))]
        });
        let of_unread = rate.ratio(rates[0]) * 100.0;
        writeln!(text, "| {} | {each} | {part} | {} | {of_unread:.1} % |", rate.way, count(rate.median() * 1e6))?;
    }
    Ok(())
}

fn observer(out: &Path, text: &mut String, bench: &Bench) -> Result<()> {
    text.push_str(
        "\n## The observer costs nothing\n\n![the rate of watched programs](bench-observer.svg)\n\n\
        Programs run on every CPU; each adds to a counter on a cache line of its own. A watcher reads one counter after the other so\n\
        often, in a burst every millisecond. The rate of all CPUs is by the clock: as the programs use all CPUs, it lacks what the watcher\n\
        takes of one. The rate in a second of the programs' own CPU time shows whether reading slows them beyond that\n\
        (`benches/observer.rs`).\n\n\
        | reads asked for | by | reached | increments/s of all CPUs | of unwatched | in the programs' own time | watcher |\n\
        |--:|---|--:|--:|--:|--:|--:|\n",
    );
    let all = bench.of("watched programs on all CPUs");
    let (own, costs, reads) = (bench.of("watched programs"), bench.of("the watcher"), bench.of("the watcher's reads"));
    let (Some(&all_alone), Some(&own_alone)) = (all.first(), own.first()) else {
        return Err("nothing was watched".into());
    };
    let mut groups: Vec<Group> = Vec::new();
    for (((all, own), cost), reads) in all.iter().zip(own).zip(costs).zip(reads) {
        let asked = grouped(all.at.unwrap_or_default());
        let [of_alone, of_own] = [all.ratio(all_alone) * 100.0, own.ratio(own_alone) * 100.0];
        let (reached, rate, used) = (count(reads.median()), count(all.median()), digits(cost.median()));
        let way = &all.way;
        writeln!(
            text,
            "| {asked} | {way} | {reached} | {rate} | {of_alone:.1} % | {of_own:.1} % | {used} % of a CPU |"
        )?;
        let bar = Bar { label: way.clone(), role: all.role, value: of_alone, text: format!("{of_alone:.1} %") };
        push(&mut groups, format!("{asked} reads a second"), bar);
    }
    charts::bars(
        &out.join("bench-observer.svg"),
        "Speed of programs on all CPUs while their counters are read",
        "increments a second, of those that nobody reads",
        Scale::Linear,
        &groups,
    )?;

    text.push_str(
        "\n## Counters of several CPUs\n\n![increments a second by the number of CPUs](bench-scaling.svg)\n\n\
        Counters of different CPUs on one cache line slow one another, although each CPU writes its own: the line moves between the CPUs.\n\
        A `CacheLine<T>` in an array, and a `PerCpu<T>`, which is declared by `BPFVAR_PERCPU`, give each CPU a line of its own. They are\n\
        as fast as the kernel's per-CPU array, which cannot be mapped.\n\n\
        | counters | CPUs | increments/s of all | beside a CacheLine |\n|---|--:|--:|--:|\n",
    );
    let rows = bench.of("scaling");
    let mut groups: Vec<Group> = Vec::new();
    for row in &rows {
        let ours = rows.iter().find(|other| other.role == Role::Subject && other.at == row.at);
        let beside = row.ratio(ours.ok_or("scaling without bpfvar")?);
        let cpus = row.at.unwrap_or_default();
        writeln!(text, "| {} | {cpus} | {} | {} |", row.way, count(row.median()), digits(beside))?;
        let bar = Bar { label: row.way.clone(), role: row.role, value: row.median(), text: count(row.median()) };
        let heading = if cpus == 1 { "1 CPU".to_owned() } else { format!("{cpus} CPUs") };
        push(&mut groups, heading, bar);
    }
    charts::bars(
        &out.join("bench-scaling.svg"),
        "Counters of programs on several CPUs",
        "increments a second of all CPUs",
        Scale::Linear,
        &groups,
    )
}

/// Adds a bar to the group of this heading.
fn push(groups: &mut Vec<Group>, heading: String, bar: Bar) {
    match groups.iter_mut().find(|group| group.heading == heading) {
        Some(group) => group.bars.push(bar),
        None => groups.push(Group { heading, bars: vec![bar] }),
    }
}

fn size(out: &Path, text: &mut String, bench: &Bench) -> Result<()> {
    text.push_str(
        "\n## Cost against size\n\n![time to create, map and unmap](bench-size.svg)\n\n\
        The kernel sets one page-table entry for each page when an array is mapped, and not at the first access; it removes them again\n\
        when it is unmapped. Creating fills every page with zeros. So each is a fixed cost and a cost for each page (`benches/size.rs`):\n\n\
        | | once | for each page | largest deviation of a measured point |\n|---|--:|--:|--:|\n",
    );
    let ways = [
        ("create", "Array::builder", "create and map"),
        ("create", "BPF_MAP_CREATE", "create by the bare call"),
        ("map", "Array::from_borrowed_fd", "map"),
        ("map", "mmap", "map by the bare call"),
        ("map", "mmap, MAP_POPULATE", "map with MAP_POPULATE"),
        ("unmap", "Array::from_borrowed_fd", "unmap"),
        ("map", "Array::from_map_window, 1 page", "map a window of 1 page"),
        ("touch", "Array, a word of each page", "touch every page"),
    ];
    let palette = [
        ("create and map", Role::Call.colour()),
        ("map", Role::Subject.colour()),
        ("unmap", Role::Peer.colour()),
        ("map a window of 1 page", plotters::style::RGBColor(5, 150, 105)),
    ];
    let mut lines = Vec::new();
    for (operation, way, name) in ways {
        let points = bench.series(operation, way);
        let Some(model) = Line::fit(&points) else { continue };
        model_row(text, name, model, &points)?;
        if let Some((_, colour)) = palette.iter().find(|(drawn, _)| *drawn == name) {
            let once = if name == "map a window of 1 page" { Vec::new() } else { sampled(model, &points) };
            let points = points.iter().map(|&(pages, ns)| (pages * PAGE, ns)).collect();
            let model = once.into_iter().map(|(pages, ns)| (pages * PAGE, ns)).collect();
            lines.push(charts::Line { label: name.to_owned(), colour: *colour, points, model });
        }
    }
    charts::lines(
        &out.join("bench-size.svg"),
        "Create, map and unmap an array",
        "time by the size of the map; thin lines are the model, a fixed cost and a cost for each page",
        bytes,
        time,
        &lines,
    )?;
    let faults = bench.series("page faults", "Array, a word of each page");
    let faults = faults.iter().map(|point| point.1).fold(0.0, f64::max);
    let populated = |way| bench.series("map", way).last().map_or(f64::NAN, |point| point.1);
    writeln!(
        text,
        "\nThe most page faults that touching every page of a fresh mapping took: {}. Mapping the largest with `MAP_POPULATE` took {} times\n\
        as long as without.\n\n\
        - **A large map of which little is needed:** map a window, `Array::from_map_window`. Its cost is that of its pages, however large\n\
        the map is.\n\
        - **Opened often:** keep the `Array` or the handles. Each opening pays for all pages, and access costs nothing after it.\n\
        - **`MAP_POPULATE`:** leave it out. Linux maps arrays eagerly since they can be mapped (5.5), so there are no page faults that it\n\
        could save, and it looks at every page again. Where a kernel maps lazily, the line above shows page faults; there it helps.\n",
        digits(faults),
        digits(populated("mmap, MAP_POPULATE") / populated("mmap")),
    )?;

    text.push_str(
        "![time to list maps](bench-list.svg)\n\n| | once | for each map | largest deviation |\n|---|--:|--:|--:|\n",
    );
    let mut lines = Vec::new();
    for (operation, way, name, role) in [
        ("create maps", "Array::builder", "create", Role::Call),
        ("list", "Map::from_id of each", "open each by its id", Role::Limit),
        ("list", "Globals::of_system", "Globals::of_system", Role::Subject),
    ] {
        let points = bench.series(operation, way);
        if let Some(model) = Line::fit(&points) {
            model_row(text, name, model, &points)?;
            lines.push(charts::Line {
                label: name.to_owned(),
                colour: role.colour(),
                model: sampled(model, &points),
                points,
            });
        }
    }
    charts::lines(
        &out.join("bench-list.svg"),
        "Create and list maps",
        "time by the number of maps",
        |maps| grouped(maps.round() as u64),
        time,
        &lines,
    )
}

fn model_row(text: &mut String, name: &str, model: Line, points: &[(f64, f64)]) -> Result<()> {
    let deviation = model.deviation(points) * 100.0;
    let once = if model.once > 0.0 { time(model.once) } else { "0".to_owned() };
    writeln!(text, "| {name} | {once} | {} | {deviation:.0} % |", time(model.each.max(0.0)))?;
    Ok(())
}

/// The model at many places, as a line is bent where axes are logarithmic.
fn sampled(model: Line, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let steps = 60;
    let at = |step| first.0 * (last.0 / first.0).powf(f64::from(step) / f64::from(steps));
    let lowest = points.iter().map(|point| point.1).fold(f64::MAX, f64::min) / 2.0;
    (0..=steps).map(|step| (at(step), model.at(at(step)).max(lowest))).collect()
}

fn footprint(text: &mut String, programs: &[Footprint]) -> Result<()> {
    text.push_str(
        "\n## Footprint\n\n\
        A program that opens a map by its id and prints one counter, in release mode, without symbols (`peers/footprint`). Built from\n\
        nothing, with what it depends on; libbpf-rs compiles libbpf in C besides.\n\n\
        | | packages | build | CPU time of it | binary | more than an empty program |\n|---|--:|--:|--:|--:|--:|\n",
    );
    let nothing = programs.first().map_or(0, |program| program.bytes);
    for Footprint { library, packages, seconds, cpu_seconds, bytes: size } in programs {
        let more = bytes(size.saturating_sub(nothing) as f64);
        let size = bytes(*size as f64);
        writeln!(text, "| {library} | {packages} | {seconds:.1} s | {cpu_seconds:.1} s | {size} | {more} |")?;
    }
    Ok(())
}

const LIMIT: &str = "
## Beside the limit

The fastest that the machine has is a raw volatile pointer, `memcpy`, or the bare system calls. What has no limit is measured alone.
";

/// A table of a bench as its own program prints it.
fn against_limit(bench: &Bench) -> String {
    let mut text = format!("\n| {} | time | of the limit | system call beside it |\n|---|--:|--:|--:|\n", bench.title);
    for row in &bench.rows {
        let beside = |role| {
            let mut others = bench.rows.iter().filter(|other| other.operation == row.operation);
            others.find(|other| other.role == role && role != row.role)
        };
        let of_limit = beside(Role::Limit).map(|limit| format!("{}x", digits(row.ratio(limit)))).unwrap_or_default();
        let call = beside(Role::Call).map(|call| format!("{}x", digits(call.ratio(row)))).unwrap_or_default();
        text += &format!("| {}: {} | {} | {of_limit} | {call} |\n", row.operation, row.way, time(row.median()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{against_limit, sampled};
    use crate::figures::{Bench, Role, Row};
    use crate::fit::Line;

    fn row(way: &str, role: Role, values: [f64; 3]) -> Row {
        let (operation, unit) = ("load".to_owned(), "ns".to_owned());
        Row { operation, way: way.to_owned(), role, unit, at: None, values: values.to_vec() }
    }

    #[test]
    fn a_table_has_both_ratios() {
        let rows = vec![
            row("pointer", Role::Limit, [1.0, 2.0, 1.0]),
            row("field", Role::Subject, [1.5, 3.0, 1.5]),
            row("lookup", Role::Call, [600.0, 1200.0, 600.0]),
        ];
        let table = against_limit(&Bench { title: "One value".to_owned(), rows });
        let lines: Vec<&str> = table.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "| load: pointer | 1 ns |  | 600x |",
                "| load: field | 1.5 ns | 1.50x | 400x |",
                "| load: lookup | 600 ns | 600x |  |",
            ]
        );
    }

    #[test]
    fn a_model_is_drawn_from_the_first_size_to_the_last() {
        let line = Line { once: 10.0, each: 1.0 };
        let drawn = sampled(line, &[(1.0, 11.0), (1000.0, 1010.0)]);
        assert_eq!(drawn.first(), Some(&(1.0, 11.0)));
        let last = drawn.last().expect("some");
        assert!((last.0 - 1000.0).abs() < 1e-6 && (last.1 - 1010.0).abs() < 1e-6);
    }
}
