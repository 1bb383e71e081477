//! A process without privileges that was handed a map's descriptor: it maps the map and reads it, with no system call for a read.
//! Whoever holds the descriptor needs no capability. It is also the right to write, as the kernel maps nothing through a descriptor
//! that only reads; hand it to whom you trust with the values.
//!
//!     sudo -E cargo run --release --example handed

use std::env;
use std::error::Error;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bpfvar::{Array, MapValue, ReadOnly};
use bpfvar_testkit::host;

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Stats {
    packets: u64,
    drops: u64,
}

/// The user `nobody`.
const NOBODY: u32 = 65534;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("reader") => reader(),
        _ => owner(),
    }
}

/// Makes the map, and starts the reader as another user.
fn owner() -> Result<(), Box<dyn Error>> {
    if !host::ready((5, 5)) {
        return Ok(());
    }
    let stats = Array::<Stats>::builder().name("handed").entries(4).create()?;
    stats.at(2).packets.store(1, Relaxed);
    let fd = stats.map().ok_or("it is a map")?.as_fd().try_clone_to_owned()?;
    // Any way to hand over a descriptor does: SCM_RIGHTS, pidfd_getfd, LISTEN_FDS. Here it is the reader's standard input.
    let mut reader =
        Command::new("/proc/self/exe").arg("reader").stdin(Stdio::from(fd)).uid(NOBODY).gid(NOBODY).spawn()?;
    let start = Instant::now();
    while reader.try_wait()?.is_none() && start.elapsed() < Duration::from_secs(10) {
        for _ in 0..1000 {
            stats.at(2).packets.fetch_add(1, Relaxed);
        }
    }
    let status = reader.wait()?;
    if !status.success() {
        return Err(format!("the reader failed: {status}").into());
    }
    Ok(())
}

/// Has no privilege, and standard input is a map.
fn reader() -> Result<(), Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim).map(str::to_owned);
    println!("reader: uid {:?}, effective capabilities {:?}", of("Uid:"), of("CapEff:"));
    let stats = Array::<Stats, ReadOnly>::from_borrowed_fd(io::stdin().as_fd())?;
    let before = stats.at(2).packets.load(Relaxed);
    while stats.at(2).packets.load(Relaxed) < before + 1_000_000 {}
    println!("reader: saw the packets grow from {before} to {}", stats.at(2).packets.load(Relaxed));
    let id = stats.map().ok_or("it is a map")?.info().id;
    let refusal = Array::<Stats, ReadOnly>::from_id(id).err().ok_or("it could be opened by its id")?;
    println!("reader: by its id it is not to be had: {refusal}");
    Ok(())
}
