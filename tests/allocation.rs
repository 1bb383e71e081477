//! Nothing allocates after opening, save the `Vec` of a snapshot. A program of its own, for it replaces the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, MapValue, PerCpu, Seq, Switch, Zerocopy};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u32> = const { Cell::new(0) };
}

// SAFETY: all is passed on to System.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u32 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[derive(MapValue, Clone, Copy)]
#[repr(C)]
struct Stats {
    packets: u64,
    mode: u32,
    sizes: [u64; 16],
}

#[test]
fn access_allocates_nothing_and_a_snapshot_once() {
    let stats = Array::<Stats>::in_process(64);
    let whole = Array::<Zerocopy<[u16; 5]>>::in_process(64);
    let mut values = stats.snapshot();
    let count = allocations(|| {
        for value in &stats {
            value.packets.fetch_add(1, Relaxed);
            value.sizes.at(3).store(1, Relaxed);
            value.write(value.read());
        }
        stats.copy_to(&mut values);
        stats.copy_from(&values);
        stats.range(..8).fill(values[0]);
        assert_eq!(stats.sum(|value| value.packets), 64);
        whole.write(3, Zerocopy([1; 5]));
        assert_eq!(whole.read(3).0, [1; 5]);
    });
    assert_eq!(count, 0);
    let seqs = Array::<Seq<Stats>>::in_process(4);
    let switches = Array::<Switch<Stats>>::in_process(1);
    let per_cpu = PerCpu::<Stats>::in_process(4);
    seqs.at(2).write(values[0]).unwrap();
    let count = allocations(|| {
        assert_eq!(seqs.at(2).read().unwrap().packets, 1);
        assert_eq!(switches.at(0).read().unwrap().packets, 0);
        assert_eq!(per_cpu.sum(|value| value.packets), 0);
        seqs.at(2).write(values[1]).unwrap();
    });
    assert_eq!(count, 0);
    assert_eq!(allocations(|| drop(stats.snapshot())), 1);
    assert_eq!(allocations(|| drop(Box::new(1))), 1, "the counter counts");
}
