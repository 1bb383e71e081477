//! Settings that switch as one: user space changes several of them, and no run of a program sees some of the old ones beside
//! some of the new ones.
//!
//!     sudo -E cargo run --release --example switch
//!
//! The program's side, in C (`include/bpfvar.bpf.h` is all that it needs; here it is `bpf/together.bpf.c`):
//!
//!     BPFVAR_SWITCH(struct config) config = BPFVAR_SWITCH_INIT({ .rate = 1000, .mode = FAST });
//!
//!     const struct config *c = bpfvar_current(&config); // once a run
//!     ...c->rate ... c->mode ...

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use bpfvar::{Bind, Change, Globals, MapValue, ReadOnly, Shared, SwitchWriter};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Config {
    rate: u64,
    mode: u32,
    burst: u32,
    words: [u64; 8],
}

#[derive(Bind)]
struct Settings {
    config: SwitchWriter<Config>,
    /// Counts the runs that saw different numbers in one struct.
    torn_config: Shared<u64, ReadOnly>,
    runs: Shared<u64, ReadOnly>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let loaded = load(Source::Together);
    let globals = Globals::by_id(loaded.program("read_config").id())?;
    let settings = Settings::bind(&globals)?;
    let all = |number: u64| Config { rate: number, mode: 0, burst: number as u32, words: [number; 8] };
    settings.config.update(|config| *config = all(0))?;
    let before = settings.torn_config.load(Relaxed);

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for cpu in host::cpus() {
            let (loaded, done) = (&loaded, &done);
            scope.spawn(move || {
                host::pin_to(cpu);
                while !done.load(Relaxed) {
                    loaded.program("read_config").run(1000);
                }
            });
        }
        let start = Instant::now();
        // Each returns when no program can still see the old value.
        let switched = (1..=50).try_for_each(|number| settings.config.update(|config| *config = all(number)).map(drop));
        done.store(true, Relaxed);
        println!("50 switches, {:?} each", start.elapsed() / 50);
        switched
    })?;
    let torn = settings.torn_config.load(Relaxed) - before;
    println!("{} runs beside them: {torn} saw two versions", settings.runs.load(Relaxed));
    assert_eq!(torn, 0);

    // For changes that were worked out from what was read: only if nobody switched meanwhile.
    let (version, seen) = settings.config.view().read_versioned()?;
    settings.config.update_from(version, |config| config.rate = seen.rate * 2)?;
    assert!(settings.config.update_from(version, |config| config.rate = 0).is_err());

    // By name, without a type: several settings, one switch.
    Change::apply_all([globals.var("config.rate")?.change(5)?, globals.var("config.mode")?.change("OFF")?])?;
    println!("version {}: config = {}", settings.config.version(), globals.var("config")?.read()?);
    Ok(())
}
