//! Reads that are consistent: a program on every CPU counts packets and bytes under a sequence lock, one for each CPU, and user
//! space never sees one without the other.
//!
//!     sudo -E cargo run --release --example consistent
//!
//! The program's side, in C (`include/bpfvar.bpf.h` is all that it needs; here it is `bpf/together.bpf.c`):
//!
//!     struct block { __u64 words[8]; };                 // all words of a block are one number
//!     BPFVAR_PERCPU(BPFVAR_SEQ(struct block)) blocks;
//!
//!     __auto_type seq = bpfvar_this_cpu(&blocks);
//!     if (!seq)
//!             return 0;
//!     struct block *block = bpfvar_seq_begin(seq);      // NULL if this program interrupted itself
//!     if (block) {
//!             ...change it...
//!             bpfvar_seq_end(seq);
//!     }

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use bpfvar::error::Torn;
use bpfvar::{Bind, Globals, MapValue, PerCpu, ReadOnly, Seq, Shared};
use bpfvar_objects::{Source, load};
use bpfvar_testkit::host;

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Block {
    words: [u64; 8],
}

impl Block {
    fn is_whole(&self) -> bool {
        self.words.iter().all(|word| *word == self.words[0])
    }
}

#[derive(Bind)]
struct Together {
    blocks: PerCpu<Seq<Block>, ReadOnly>,
    /// The same without a lock.
    plain: Shared<Block, ReadOnly>,
}

/// Looks for values that were never there.
fn hunt(together: &Together) -> Result<(), Torn> {
    let (mut torn_plain, mut torn) = (0, 0);
    for _ in 0..1_000_000 {
        torn_plain += u32::from(!together.plain.read().is_whole());
        for block in together.blocks.iter() {
            // An error only if a writer is inside in each of 2,000 tries.
            torn += u32::from(!block.read()?.is_whole());
        }
    }
    println!("1,000,000 reads of each: {torn_plain} torn without a lock, {torn} with one");
    assert_eq!(torn, 0);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let loaded = load(Source::Together);
    let globals = Globals::by_id(loaded.program("read_config").id())?;
    let together = Together::bind(&globals)?;

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for cpu in host::cpus() {
            let (loaded, done) = (&loaded, &done);
            scope.spawn(move || {
                host::pin_to(cpu);
                while !done.load(Relaxed) {
                    loaded.program("write_blocks").run(100);
                    loaded.program("write_plain").run(100);
                    thread::sleep(Duration::from_micros(10));
                }
            });
        }
        let hunted = hunt(&together);
        // Whatever came of it, the programs end.
        done.store(true, Relaxed);
        hunted
    })?;

    // By name, without a type: what all CPUs have is added up.
    println!("blocks = {}", globals.var("blocks")?.read()?);
    Ok(())
}
