//! A program that somebody else loaded, steered by the names of its global variables.
//!
//!     cargo run --release --example globals            # find the variables, change them, watch what the program does
//!     cargo run --release --example globals -- 60      # and keep the program running for 60 seconds, to try the tool on it

use std::env;
use std::error::Error;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bpfvar::{Globals, MapValue, ReadOnly, Shared};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

/// The program's `struct config`, as far as we care: a name that starts with `_` stands for anything.
#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Config {
    rate: u64,
    mode: u32,
    _limits: [u32; 8],
    enabled: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = env::args().nth(1).map_or(Ok(0), |argument| argument.parse())?;
    if !host::ready(Source::Count.needs()) {
        return Ok(());
    }
    // Somebody else: bpf/count.bpf.c, loaded as libbpf would. Each run counts, and returns `config.rate`.
    let loaded = load(Source::Count);
    let id = loaded.programs[0].id();

    // We know its name, or, as there may be others of that name, its id.
    let globals = Globals::by_id(id)?;
    println!("{} has\n", globals.program().map_or_else(String::new, ToString::to_string));
    for var in globals.vars() {
        println!("  {:8} {:14} {:9} = {}", var.map().name(), var.type_name(), var.path(), var.read()?);
    }

    // By text, checked against BTF: no Rust type is needed.
    let old = globals.var("config.mode")?.set("OFF")?;
    println!("\nconfig.mode: {old} -> {}; the program returns {}", globals.var("config.mode")?.read()?, loaded.run(1));
    globals.var("config.mode")?.set(old)?;
    println!("knob = 300: {}", globals.var("knob")?.set("300").err().ok_or("a byte took 300")?);

    // By type, checked against BTF once. From here on each access is one instruction.
    let config: Shared<Config> = globals.var("config")?.bind()?;
    config.view().rate.store(5, Relaxed);
    println!("config.rate = 5; the program returns {}", loaded.run(1));
    let packets = globals.var("packets")?.bind::<u64, ReadOnly>()?;
    let before = packets.load(Relaxed);
    loaded.run(1_000_000);
    println!("packets: {before} + {}", packets.load(Relaxed) - before);

    if seconds > 0 {
        println!("\nrunning for {seconds} s more; try: cargo run -p bpfvar-cli -- watch prog:{id}.packets");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(seconds) {
            loaded.run(1000);
            sleep(Duration::from_millis(10));
        }
    }
    Ok(())
}
