//! Values that change together: what being whole costs, beside values that are not, and beside the system calls.

use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, CacheLine, Map, MapValue, PerCpu, Result, Seq, Switch};

#[path = "support/comparison.rs"]
mod comparison;

use comparison::Bench;

fn main() {
    Bench::run("Values that change together", |bench| {
        read::<[u64; 8]>(bench)?;
        read::<[u64; 64]>(bench)?;
        write(bench)?;
        switch(bench)?;
        [1, 4, 16, 64, 256].into_iter().try_for_each(|slots| sum(bench, slots))
    });
}

/// Copying a value that nobody writes just then.
fn read<T: MapValue + Copy>(bench: &mut Bench) -> Result<()> {
    let plain = Array::<T>::builder().name("plain").entries(1).create()?;
    let seq = Array::<Seq<T>>::builder().name("seq").entries(1).create()?;
    let switch = Array::<Switch<T>>::builder().name("switch").entries(1).create()?;
    let map: &Map = plain.map().expect("a map");
    let mut bytes = vec![0; map.info().value_size as usize];
    bench
        .operation(format!("read {} bytes", size_of::<T>()))
        .limit("Array::read, not as one", |b| b.iter(|| plain.read(0)))
        .subject("SeqView::read", |b| b.iter(|| seq.at(0).read()))
        .subject("SwitchView::read", |b| b.iter(|| switch.at(0).read()))
        .call("Map::lookup", |b| b.iter(|| map.lookup(0, black_box(&mut bytes))))
        .measure();
    Ok(())
}

/// Writing a value under a sequence lock, from user space.
fn write(bench: &mut Bench) -> Result<()> {
    let plain = Array::<[u64; 8]>::builder().name("plain").entries(1).create()?;
    let seq = Array::<Seq<[u64; 8]>>::builder().name("seq").entries(1).create()?;
    let map: &Map = plain.map().expect("a map");
    bench
        .operation("write 64 bytes")
        .limit("Array::write, not as one", |b| b.iter(|| plain.write(0, black_box([7; 8]))))
        .subject("SeqView::write", |b| b.iter(|| seq.at(0).write(black_box([7; 8])).expect("nobody else writes")))
        .call("Map::update", |b| b.iter(|| map.update(0, black_box(&[7; 64])).expect("it is not frozen")))
        .measure();
    Ok(())
}

/// Switching 64 bytes, while no program runs.
fn switch(bench: &mut Bench) -> Result<()> {
    let array = Array::<Switch<[u64; 8]>>::builder().name("switch").entries(1).create()?;
    // Who looks for programs that may sleep looks at all programs of the system.
    let checked = array.switch(0)?;
    let switch = array.switch(0)?.allow_sleepable();
    switch.settle()?;
    bench
        .operation("switch 64 bytes")
        .subject("SwitchWriter::update", |b| {
            b.iter(|| checked.update(|value| value[0] += 1).expect("no program sleeps"))
        })
        .subject("the same, allow_sleepable", |b| b.iter(|| switch.update(|value| value[0] += 1).expect("it works")))
        .measure();
    let in_process = Array::<Switch<[u64; 8]>>::in_process(1);
    let no_wait = in_process.switch(0)?;
    bench
        .operation("publish 64 bytes, without the wait")
        .subject("SwitchWriter::publish", |b| b.iter(|| no_wait.publish(|value| value[0] += 1).expect("nobody runs")))
        .measure();
    Ok(())
}

/// Adding up a counter of every CPU.
fn sum(bench: &mut Bench, slots: u32) -> Result<()> {
    let percpu = PerCpu::<[u64; 2]>::in_process(slots);
    let packed = Array::<u64>::builder().name("packed").entries(slots).create()?;
    let lines = Array::<CacheLine<u64>>::builder().name("lines").entries(slots).create()?;
    lines.at(0).value.store(1, Relaxed);
    bench
        .operation(format!("sum of {slots} CPUs"))
        .limit("Array::sum of u64, not apart", |b| b.iter(|| packed.sum(|value| value)))
        .subject("PerCpu::sum", |b| b.iter(|| percpu.sum(|value| value.at(0))))
        .subject("Array::sum of CacheLine<u64>", |b| b.iter(|| lines.sum(|line| line.value)))
        .measure();
    Ok(())
}
