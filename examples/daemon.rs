//! A daemon beside a program that somebody else loads, and loads anew: a struct of handles, threads, and a follower.
//!
//!     cargo run --release --example daemon

use std::error::Error;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Bind, Checked, Follower, MapValue, Reload, Repr, Shared};
use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;

/// The program's `enum mode`. A program can store any number there, so the field is a `Checked<Mode>`.
#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
enum Mode {
    Slow,
    Fast,
    Off,
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Config {
    rate: u64,
    mode: Checked<Mode>,
    _limits: [u32; 8],
    enabled: bool,
}

/// What the daemon keeps of the program. No lifetime: it can be stored, cloned and sent to threads.
#[derive(Bind, Clone)]
struct Count {
    packets: Shared<u64>,
    sampling: Shared<u32>,
    config: Shared<Config>,
    #[bind("config.limits[2].burst")]
    burst: Shared<u32>,
    /// Only newer builds of the program have it.
    debug: Option<Shared<bool>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    if !host::ready(Source::Count.needs()) {
        return Ok(());
    }
    // Somebody else: bpf/count.bpf.c under a name of its own, as other examples may load it too.
    let program = load_named(Source::Count, "count_daemon");
    let mut follower = Follower::<Count>::by_name("count_daemon")?;

    let count = follower.get().clone();
    println!("sampling {:?}, {:?}, burst {:?}", count.sampling, count.config, count.burst);
    println!("debug is {}", if count.debug.is_some() { "there" } else { "absent in this build" });
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let packets = count.packets.clone();
            thread::spawn(move || (0..1_000_000).map(|_| packets.load(Relaxed)).max())
        })
        .collect();
    program.run(100_000);
    for thread in threads {
        println!("a thread saw up to {:?} packets", thread.join().map_err(|_| "a thread panicked")?);
    }
    count.config.view().mode.store(Mode::Off.into(), Relaxed);
    println!("with mode {:?} the program returns {}", count.config.read().mode, program.run(1));

    // The program is loaded anew: its variables are in new maps.
    drop(program);
    let program = load_named(Source::Count, "count_daemon");
    loop {
        match follower.poll()? {
            // The kernel frees the old one a little later.
            Reload::Unchanged | Reload::Gone => thread::yield_now(),
            Reload::Replaced(old) => {
                println!("loaded anew; the last count of the old one was {:?}", old.packets);
                break;
            }
        }
    }
    program.run(5);
    println!(
        "the new one counts from 0: {:?} packets, mode {:?}",
        follower.get().packets,
        follower.get().config.read().mode
    );
    Ok(())
}
