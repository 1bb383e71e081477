//! The sequence lock and the switch, as steps on words. The arguments for each ordering stand beside it; `models/` checks them,
//! and that each is needed, by running this very file under loom.
//!
//! What programs do is in `include/bpfvar.bpf.h`.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

/// A word in shared memory that may be read.
pub(crate) trait Load: Copy {
    fn load(self, order: Ordering) -> u64;
    fn fence(order: Ordering);
    /// Called between two tries.
    fn pause();
}

/// A word in shared memory that may be written.
pub(crate) trait Word: Load {
    fn store(self, value: u64, order: Ordering);
    fn fetch_add(self, amount: u64, order: Ordering) -> u64;
    fn compare_exchange(self, old: u64, new: u64, success: Ordering, failure: Ordering) -> Result<u64, u64>;
}

/// What a sequence lock counts: the writers that came, and those that left.
#[derive(Clone, Copy)]
pub(crate) struct Sequence<W> {
    pub(crate) begin: W,
    pub(crate) end: W,
}

/// The numbers that were read last, and between which there was no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

impl<W: Load> Sequence<W> {
    /// Copies what is guarded until that was undisturbed. `copy` loads relaxed.
    ///
    /// Let E be the writers that had left when `end` was loaded, and B those that had come when `begin` was loaded the second
    /// time. Whoever has left has come, so |B| >= |E|, and if both are the same number, all of B have left. The acquire load of
    /// `end` sees all that E wrote, for each addition to `end` is a release, and additions continue the release sequences of
    /// those before. If `copy` saw anything of a writer outside of E, then the fence would make that writer's addition to
    /// `begin`, which is before a release fence and that before what it wrote, visible to the second load, and the number would
    /// be greater.
    pub(crate) fn read<T>(self, tries: u32, mut copy: impl FnMut() -> T) -> Result<T, Counts> {
        let mut last = Counts { begun: 0, ended: 0 };
        for _ in 0..tries {
            let ended = self.end.load(Acquire);
            // A glance, so that nothing is copied in vain.
            let begun = self.begin.load(Relaxed);
            last = Counts { begun, ended };
            if begun == ended {
                let value = copy();
                W::fence(Acquire);
                last.begun = self.begin.load(Relaxed);
                if last.begun == ended {
                    return Ok(value);
                }
            }
            W::pause();
        }
        Err(last)
    }

    /// How many writers were inside at one moment; None if one came while it was looked. Negative only if somebody wrote the
    /// numbers who is no writer.
    ///
    /// If `begin` is the same number before and after `end` is loaded, nobody came in between, so the difference is that of the
    /// moment in which `end` was loaded. The first acquire keeps the loads in order. The second one shows that those who left
    /// have come.
    pub(crate) fn inside(self) -> Option<i64> {
        let begun = self.begin.load(Acquire);
        let ended = self.end.load(Acquire);
        (self.begin.load(Relaxed) == begun).then(|| begun.wrapping_sub(ended) as i64)
    }

    /// The least number of writers that were inside at once in so many looks. A look with nobody inside is the last. None if a
    /// writer came in each.
    pub(crate) fn least_inside(self, looks: u32) -> Option<i64> {
        let mut least = None;
        for _ in 0..looks {
            if let Some(inside) = self.inside() {
                least = Some(least.map_or(inside, |least: i64| least.min(inside)));
                if least == Some(0) {
                    break;
                }
            }
        }
        least
    }
}

impl<W: Word> Sequence<W> {
    /// Enters as a writer, unless another one is inside. `abandoned` writers are known to be dead. Gives how many came before.
    ///
    /// Of two writers only one gets in. Let W be the one whose addition to `begin` comes later. It loads `end` and then `begin`.
    /// Those that it counts in `end` have all come before, as the acquire load makes visible, and so are counted in `begin`, as is
    /// W itself, which has not left. If the difference is 1, the writers that came are W and those that left: the other one has.
    pub(crate) fn enter(self, abandoned: u64) -> Result<u64, Counts> {
        let before = self.begin.fetch_add(1, Relaxed);
        let ended = self.end.load(Acquire);
        let begun = self.begin.load(Relaxed);
        if begun.wrapping_sub(ended) == abandoned.wrapping_add(1) {
            // Before anything is written: see `read`.
            W::fence(Release);
            return Ok(before);
        }
        self.leave(0);
        Err(Counts { begun, ended })
    }

    /// Leaves, also on behalf of those that are dead. The release shows all that was written.
    pub(crate) fn leave(self, abandoned: u64) {
        self.end.fetch_add(abandoned.wrapping_add(1), Release);
    }

    /// Makes good numbers of which `missing` fewer came than left: no writer gets in, and nobody reads, while they are so.
    pub(crate) fn mend(self, missing: u64) {
        self.begin.fetch_add(missing, Relaxed);
    }

    /// Enters without looking who is inside.
    pub(crate) fn enter_anyway(self) {
        self.begin.fetch_add(1, Relaxed);
        W::fence(Release);
    }
}

/// The words of a switch.
#[derive(Clone, Copy)]
pub(crate) struct Versions<W> {
    /// Its lowest bit is the current slot.
    pub(crate) version: W,
    /// The version before which no program can still be.
    pub(crate) settled: W,
}

/// The slot that a version is in.
pub(crate) fn slot_of(version: u64) -> usize {
    (version & 1) as usize
}

impl<W: Load> Versions<W> {
    /// Copies the current slot, in a process, which no grace period waits for: a slot is written again only after the other one
    /// was published. If `copy` saw anything of that, the fence makes the publishing, which the writer has seen before its release
    /// fence, visible to the second load.
    pub(crate) fn read<T>(self, tries: u32, mut copy: impl FnMut(usize) -> T) -> Result<(u64, T), u64> {
        let mut seen = 0;
        for _ in 0..tries {
            // Acquire: shows the slot as it was before it was published.
            let version = self.version.load(Acquire);
            let value = copy(slot_of(version));
            W::fence(Acquire);
            seen = self.version.load(Relaxed);
            if seen == version {
                return Ok((version, value));
            }
            W::pause();
        }
        Err(seen)
    }
}

impl<W: Word> Versions<W> {
    /// Prepares the slot that is not in use, and publishes it. Whoever calls it holds the lock, which orders it with all writers
    /// before. `wait` returns when no run of a program that began before the call is still going on; it is called if somebody
    /// published and has not waited. `write` gets the slots to read from and to write; if it fails, nothing is published.
    ///
    /// The release store shows a program, whose loads of the slot depend on its load of the version, all of the slot. The wait
    /// makes sure that whoever loaded the version before the current one is done with the slot.
    pub(crate) fn publish<E>(
        self,
        wait: impl FnOnce() -> Result<(), E>,
        write: impl FnOnce(usize, usize) -> Result<(), E>,
    ) -> Result<u64, E> {
        let version = self.version.load(Relaxed);
        if self.settled.load(Relaxed) != version {
            wait()?;
            self.settled.store(version, Relaxed);
        }
        // Before anything is written: see `read`.
        W::fence(Release);
        let next = version.wrapping_add(1);
        write(slot_of(version), slot_of(next))?;
        self.version.store(next, Release);
        Ok(next)
    }
}

/// Takes the lock of the writers of user space for the thread `mine`. `is_dead` says whether another thread has ended; what that
/// thread did is visible once it is known to have ended. `Ok` holds the dead thread from which the lock was taken, `Err` who holds
/// it.
pub(crate) fn lock<W: Word>(writer: W, mine: u64, is_dead: impl FnOnce(u64) -> bool) -> Result<Option<u64>, u64> {
    match writer.compare_exchange(0, mine, Acquire, Relaxed) {
        Ok(_) => Ok(None),
        Err(holder) if holder != mine && is_dead(holder) => {
            // Of several that find it dead, one gets it.
            writer.compare_exchange(holder, mine, Acquire, Relaxed).map(Some)
        }
        Err(holder) => Err(holder),
    }
}

/// Gives the lock back.
pub(crate) fn unlock<W: Word>(writer: W, mine: u64) {
    // If it is somebody else's, who believed this thread to be dead or wrote there, it is not ours to give.
    let _ = writer.compare_exchange(mine, 0, Release, Relaxed);
}
