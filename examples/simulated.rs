//! Values that change together in a unit test: no kernel, no privileges. A thread plays the program.
//!
//!     cargo run --example simulated

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use bpfvar::{Array, MapValue, PerCpu, Result, Run, Seq, Switch, SwitchWriter};

#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Config {
    rate: u64,
    burst: u64,
}

#[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
struct Stats {
    packets: u64,
    bytes: u64,
}

/// What is to be tested: doubles the rate, and the burst with it.
fn faster(config: &SwitchWriter<Config>) -> Result<u64> {
    config.update(|config| {
        config.rate *= 2;
        config.burst = config.rate * 10;
    })
}

/// What is to be tested: bytes a packet on average, from a copy of one moment.
fn average(stats: &PerCpu<Seq<Stats>>) -> Result<u64> {
    let mut sum = Stats::default();
    for stats in stats.iter() {
        let Stats { packets, bytes } = stats.read()?;
        sum = Stats { packets: sum.packets + packets, bytes: sum.bytes + bytes };
    }
    Ok(sum.bytes.checked_div(sum.packets).unwrap_or(0))
}

fn test(configs: &Array<Switch<Config>>, stats: &PerCpu<Seq<Stats>>) -> Result<()> {
    for version in 1..=20 {
        assert_eq!(faster(&configs.switch(0)?)?, version);
        while average(stats)? == 0 {
            thread::yield_now();
        }
        assert_eq!(average(stats)?, 100);
    }
    Ok(())
}

fn main() -> Result<()> {
    let configs = Array::<Switch<Config>>::in_process(1);
    configs.write(0, Switch::new(Config { rate: 1, burst: 10 }));
    let stats = PerCpu::<Seq<Stats>>::in_process(2);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for cpu in 0..2 {
            let (configs, stats, done) = (&configs, &stats, &done);
            scope.spawn(move || {
                while !done.load(Relaxed) {
                    let run = Run::begin(); // a run of the program
                    let config = run.current(configs.at(0)); // bpfvar_current
                    let (rate, burst) = (config.rate.load(Relaxed), config.burst.load(Relaxed));
                    assert_eq!(burst, rate * 10, "a run sees one version");
                    // bpfvar_seq_begin, bpfvar_seq_end
                    let counted = stats
                        .at(cpu)
                        .update(|stats| *stats = Stats { packets: stats.packets + 1, bytes: stats.bytes + 100 });
                    counted.expect("nobody else writes the slot of this CPU");
                }
            });
        }
        let tested = test(&configs, &stats);
        // Whatever came of it, the programs end.
        done.store(true, Relaxed);
        tested
    })?;
    println!("{:?}; {} bytes a packet", configs.at(0), average(&stats)?);
    Ok(())
}
