//! A program that libbpf-rs loads by its skeleton, and whose variables bpfvar opens by the program's descriptor. The handles have
//! no lifetime: they outlive the skeleton, and can be sent to threads.
//!
//!     cargo run -p bpfvar-peers --features loaders --example libbpf_rs

use std::error::Error;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Bind, Globals, Map, ReadOnly, Shared, TypedMap};
use bpfvar_objects::Source;
use bpfvar_peers::count::CountSkelBuilder;
use bpfvar_testkit::{Program, host};
use libbpf_rs::skel::{OpenSkel, SkelBuilder};

/// What is needed of the program's variables: names and types are checked against its BTF.
#[derive(Bind)]
struct Count {
    packets: Shared<u64, ReadOnly>,
    sampling: Shared<u32>,
    #[bind("config.rate")]
    rate: Shared<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    if !host::ready(Source::Count.needs()) {
        return Ok(());
    }
    // The skeleton is what libbpf-cargo generates: see build.rs.
    let mut storage = MaybeUninit::uninit();
    let skeleton = CountSkelBuilder::default().open(&mut storage)?.load()?;
    let program = Program::from(skeleton.progs.count.as_fd().try_clone_to_owned()?);

    // By the program's descriptor: all of its sections.
    let count = Count::bind(&Globals::by_fd(&skeleton.progs.count)?)?;
    count.sampling.store(100, Relaxed);
    count.rate.store(55, Relaxed);
    println!("the program returns the rate that was stored: {}", program.run(1000));
    println!("packets: {}", count.packets.load(Relaxed));

    // By the descriptor of one section, .bss.
    let bss = TypedMap::open(Map::from_borrowed_fd(skeleton.maps.bss.as_fd())?)?;
    let neighbour = bss.var("neighbour")?;
    neighbour.set("7")?;
    let seen = skeleton.maps.bss_data.as_deref().map(|bss| bss.neighbour);
    println!("the skeleton sees what bpfvar has set: {seen:?}");
    assert_eq!((seen, count.packets.load(Relaxed)), (Some(7), 1000));

    // The handles hold the memory: libbpf-rs may unload the program.
    drop(skeleton);
    drop(program);
    let last = thread::spawn(move || count.packets.load(Relaxed)).join().map_err(|_| "the thread panicked")?;
    println!("after the skeleton is gone: {last} packets");
    Ok(())
}
