//! A program that aya loads, and whose array bpfvar maps by the map's descriptor. In a program that is written with aya-ebpf, such an
//! array is declared with the flag:
//!
//!     #[map]
//!     static STATS: Array<Stats> = Array::with_max_entries(4, BPF_F_MMAPABLE);
//!
//! Here it is `stats` of `bpf/maps.bpf.c`, which is the same to aya and to the kernel.
//!
//!     cargo run -p bpfvar-peers --features loaders --example aya

use std::error::Error;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use aya::Ebpf;
use aya::maps::{Array as AyaArray, IterableMap, Map};
use aya::programs::Program as AyaProgram;
use bpfvar::{Array, MapValue};
use bpfvar_objects::Source;
use bpfvar_testkit::{Program, host};

/// An entry, as the program declares it.
#[derive(Clone, Copy, Debug, MapValue)]
#[repr(C)]
struct Stats {
    packets: u64,
    drops: u32,
    mode: u32,
    sizes: [u64; 4],
}

const BPF_F_MMAPABLE: u32 = 1 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    if !host::ready(Source::Maps.needs()) {
        return Ok(());
    }
    let mut ebpf = Ebpf::load(Source::Maps.bytes())?;
    let Some(AyaProgram::SocketFilter(program)) = ebpf.program_mut("use_maps") else {
        return Err("the object has a socket filter use_maps".into());
    };
    program.load()?;
    let program = Program::from(program.fd()?.as_fd().try_clone_to_owned()?);
    let Some(Map::Array(map)) = ebpf.map("stats") else {
        return Err("the object has an array stats".into());
    };

    let stats = Array::<Stats>::from_borrowed_fd(map.fd())?;
    program.run(3);
    println!("after 3 runs: {:?}", stats.at(2).read());
    stats.at(2).packets.store(1000, Relaxed);
    program.run(1);
    println!("1000 stored, after one more run: {} packets", stats.at(2).packets.load(Relaxed));
    assert_eq!(stats.at(2).packets.load(Relaxed), 1001);

    // An array that aya makes without a program, with the same flag: what one sets the other sees.
    let mut theirs = AyaArray::<_, u64>::create(64, BPF_F_MMAPABLE)?;
    let ours = Array::<u64>::from_borrowed_fd(theirs.map().fd())?;
    theirs.set(7, 5, 0)?;
    ours.at(7).fetch_add(1, Relaxed);
    let seen = theirs.get(&7, 0)?;
    println!("aya has set 5, bpfvar added 1, aya gets {seen}");
    assert_eq!(seen, 6);
    Ok(())
}
