//! Globals by name: what finding a variable costs, and that using it costs no more than an array's field.

use std::hint::black_box;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Globals, Map, ReadWrite, Result};
use bpfvar_objects::{Loaded, Source, load};
use bpfvar_testkit::{host, update_entry};

#[allow(dead_code, reason = "the kernel by hand is for other benches")]
mod support;

use support::comparison::{Bench, eights};

/// Maps on the system when all of them are listed.
const MAPS: usize = 500;
/// Entries of the hash that is read.
const ENTRIES: u32 = 10_000;

fn main() {
    Bench::run("Globals", |bench| {
        if !host::ready(Source::Count.needs()) {
            return Ok(());
        }
        let loaded = load(Source::Count);
        let globals = Globals::by_id(loaded.programs[0].id())?;
        access(bench, &globals)?;
        resolve(bench, &globals, &loaded)?;
        list(bench)?;
        keyed(bench)
    });
}

/// The limit is a field of an `Array`, the very same operation on memory that no BTF describes.
fn access(bench: &mut Bench, globals: &Globals) -> Result<()> {
    let array = Array::<u64>::builder().name("core").create()?;
    let core = array.at(0);
    let var = globals.var("packets")?;
    let shared = var.bind::<u64, ReadWrite>()?;
    let entry = array.share(0);
    let data = var.map().as_map();
    let mut value = vec![0; data.info().value_size as usize];
    bench
        .operation("load a variable")
        .limit("field of an Array", |b| eights(b, || core.load(Relaxed)))
        .subject("Shared of a Var", |b| eights(b, || shared.load(Relaxed)))
        .subject("Shared of an Array", |b| eights(b, || entry.load(Relaxed)))
        .subject("Var::read", |b| b.iter(|| var.read()))
        .call("Map::lookup of the section", |b| b.iter(|| data.lookup(0, black_box(&mut value))))
        .measure();
    let mut value = vec![0; data.info().value_size as usize];
    bench
        .operation("store a variable")
        .limit("field of an Array", |b| eights(b, || core.store(black_box(7), Relaxed)))
        .subject("Shared of a Var", |b| eights(b, || shared.store(black_box(7), Relaxed)))
        .subject("Shared of an Array", |b| eights(b, || entry.store(black_box(7), Relaxed)))
        .subject("Var::set", |b| b.iter(|| var.set(black_box(7_u64))))
        .call("Map::lookup, update of the section", |b| {
            b.iter(|| data.lookup(0, &mut value).and_then(|()| data.update(0, black_box(&value))));
        })
        .measure();
    bench
        .operation("add to a variable")
        .limit("field of an Array", |b| eights(b, || core.fetch_add(black_box(1), Relaxed)))
        .subject("Shared of a Var", |b| eights(b, || shared.fetch_add(black_box(1), Relaxed)))
        .subject("Shared of an Array", |b| eights(b, || entry.fetch_add(black_box(1), Relaxed)))
        .subject("Var::add", |b| b.iter(|| var.add(black_box(1_u64))))
        .measure();
    Ok(())
}

/// From names to a handle, step by step.
fn resolve(bench: &mut Bench, globals: &Globals, loaded: &Loaded) -> Result<()> {
    let id = loaded.programs[0].id();
    let mut value = vec![0; loaded.map(".data").info().value_size as usize];
    bench
        .operation("resolve a variable")
        .subject("Globals::var", |b| b.iter(|| globals.var(black_box("config.limits[2].burst"))))
        .subject("Globals::var, Var::bind", |b| {
            b.iter(|| globals.var(black_box("config.limits[2].burst")).and_then(|var| var.bind::<u32, ReadWrite>()));
        })
        .subject("Globals::by_id", |b| b.iter(|| Globals::by_id(id)))
        .call("one Map::lookup of the section", |b| b.iter(|| loaded.map(".data").lookup(0, black_box(&mut value))))
        .measure();
    Ok(())
}

/// The limit opens every map by its id and asks for its info: the least that a listing can do.
fn list(bench: &mut Bench) -> Result<()> {
    let maps = (0..MAPS).map(|_| Array::<[u32; 4]>::builder().name("listed").create()).collect::<Result<Vec<_>>>()?;
    bench
        .operation(format!("list all, {MAPS} maps"))
        .limit("Map::from_id of each", |b| {
            b.iter(|| Map::ids().map(|id| Map::from_id(id?)).collect::<Result<Vec<_>>>())
        })
        .subject("Globals::of_system", |b| b.iter(Globals::of_system))
        .subject("and read every variable", |b| {
            b.iter(|| Globals::of_system()?.vars().map(|var| var.read()).collect::<Result<Vec<_>>>());
        })
        .measure();
    drop(maps);
    Ok(())
}

/// All entries of a hash of `u32` to `u64`, and one. The call is a lookup of each key, of which the keys are known.
fn keyed(bench: &mut Bench) -> Result<()> {
    let loaded = load(Source::Keyed);
    let globals = Globals::by_id(loaded.programs[0].id())?;
    let many = globals.keyed_map("many")?;
    for key in 0..ENTRIES {
        update_entry(many.as_map().as_fd(), &key.to_ne_bytes(), &7_u64.to_ne_bytes()).expect("there is room");
    }
    let keys = (0..ENTRIES).map(|key| many.entry(key)).collect::<Result<Vec<_>>>()?;
    bench
        .operation(format!("read a hash of {ENTRIES} entries"))
        .subject("KeyedMap::entries", |b| b.iter(|| many.entries().collect::<Result<Vec<_>>>()))
        .call("KeyedEntry::read of each", |b| b.iter(|| keys.iter().map(|key| key.read()).collect::<Result<Vec<_>>>()))
        .measure();
    bench
        .operation("read an entry of a hash")
        .subject("KeyedMap::get", |b| b.iter(|| many.get(black_box(77))))
        .call("KeyedEntry::read", |b| b.iter(|| keys[77].read()))
        .measure();
    Ok(())
}
