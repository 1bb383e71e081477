//! The tool as a user runs it, a process each time, beside bpftool.

use std::process::{Command, Stdio};

use bpfvar::{Array, Result};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

#[allow(dead_code, reason = "other benches use more of it")]
#[path = "../../benches/support/comparison.rs"]
mod comparison;

use comparison::Bench;

/// Maps on the system when all of them are listed.
const MAPS: usize = 500;

fn main() {
    Bench::run("Processes", |bench| {
        if !host::ready(Source::Count.needs()) || !host::has_tool("bpftool") {
            return Ok(());
        }
        get(bench)?;
        list(bench)
    });
}

fn get(bench: &mut Bench) -> Result<()> {
    let loaded = load(Source::Count);
    let program = format!("prog:{}.sampling", loaded.programs[0].id());
    let map = loaded.map(".data").info().id.to_string();
    let by_map = format!("map:{map}.sampling");
    bench
        .operation("get a variable")
        .subject("bpfvar get prog:N.sampling", |b| b.iter(|| bpfvar(&["get", &program])))
        .subject("bpfvar get map:N.sampling", |b| b.iter(|| bpfvar(&["get", &by_map])))
        .call("bpftool map dump", |b| b.iter(|| run("bpftool", &["map", "dump", "id", &map])))
        .measure();
    let set = format!("{by_map}=7");
    bench.operation("set a variable").subject("bpfvar set", |b| b.iter(|| bpfvar(&["set", &set]))).measure();
    Ok(())
}

fn list(bench: &mut Bench) -> Result<()> {
    let maps = (0..MAPS).map(|_| Array::<[u32; 4]>::builder().name("listed").create()).collect::<Result<Vec<_>>>()?;
    bench
        .operation(format!("list, {MAPS} maps"))
        .subject("bpfvar list", |b| b.iter(|| bpfvar(&["list"])))
        .call("bpftool map show", |b| b.iter(|| run("bpftool", &["map", "show"])))
        .measure();
    drop(maps);
    Ok(())
}

fn bpfvar(arguments: &[&str]) {
    run(env!("CARGO_BIN_EXE_bpfvar"), arguments);
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status().expect("it can be run");
    assert!(status.success(), "{program} {arguments:?}");
}
