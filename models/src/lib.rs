//! The sequence lock and the switch under loom, which tries every order of threads and every value that a weakly ordered memory
//! allows a load to see. What user space does is the library's own file; what a BPF program does is modelled here after
//! `bpfvar.bpf.h`. Never published.
//!
//! `models/weaken` makes each ordering of the protocol weaker in turn, and expects a model to fail.
#![cfg(test)]

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, SeqCst};

use loom::sync::atomic::{AtomicU64, fence};
use loom::sync::{Condvar, Mutex};

#[path = "../../src/view/protocol.rs"]
#[allow(dead_code)]
mod protocol;

use protocol::{Counts, Load, Sequence, Versions, Word, slot_of};

/// Tries every execution in which threads are preempted at most so often: all that is known to be needed to show a mistake.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// A word of the model's memory. Leaked, as references that are copied are what the protocol wants.
#[derive(Clone, Copy)]
struct Cell64<'a>(&'a AtomicU64);

impl Load for Cell64<'_> {
    fn load(self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    fn fence(order: Ordering) {
        fence(order);
    }

    fn pause() {
        loom::thread::yield_now();
    }
}

impl Word for Cell64<'_> {
    fn store(self, value: u64, order: Ordering) {
        self.0.store(value, order);
    }

    fn fetch_add(self, amount: u64, order: Ordering) -> u64 {
        self.0.fetch_add(amount, order)
    }

    fn compare_exchange(self, old: u64, new: u64, success: Ordering, failure: Ordering) -> Result<u64, u64> {
        self.0.compare_exchange(old, new, success, failure)
    }
}

/// What a BPF atomic with `BPF_FETCH` is on every machine, and any atomic on x86-64: a full barrier.
fn fetch_add(word: &AtomicU64, amount: u64) -> u64 {
    fence(SeqCst);
    let before = word.fetch_add(amount, AcqRel);
    fence(SeqCst);
    before
}

/// A `BPFVAR_SEQ` of two words.
#[derive(Default)]
struct Seq {
    begin: AtomicU64,
    end: AtomicU64,
    writer: AtomicU64,
    value: [AtomicU64; 2],
    /// The word of a thread that has ended.
    dead: AtomicU64,
}

impl Seq {
    fn sequence(&self) -> Sequence<Cell64<'_>> {
        Sequence { begin: Cell64(&self.begin), end: Cell64(&self.end) }
    }

    fn copy(&self) -> [u64; 2] {
        [self.value[0].load(Relaxed), self.value[1].load(Relaxed)]
    }

    /// Adds 1 to both words.
    fn count(&self) {
        let [first, second] = self.copy();
        self.value[0].store(first + 1, Relaxed);
        self.value[1].store(second + 1, Relaxed);
    }

    /// A program on a weakly ordered machine: `bpfvar_seq_begin`, a change, `bpfvar_seq_end`. Whether it got in.
    fn program(&self) -> bool {
        fetch_add(&self.begin, 1);
        let end = fetch_add(&self.end, 0);
        let begin = fetch_add(&self.begin, 0);
        let inside = begin.wrapping_sub(end) == 1;
        if inside {
            self.count();
        }
        fetch_add(&self.end, 1);
        inside
    }

    /// `bpfvar_seq_read`, once.
    fn program_reads(&self) -> Option<[u64; 2]> {
        let end = fetch_add(&self.end, 0);
        let value = self.copy();
        (fetch_add(&self.begin, 0) == end).then_some(value)
    }

    /// A thread of user space without the lock: `SeqView` where nobody else of user space writes.
    fn user(&self) -> bool {
        let inside = self.sequence().enter(0).is_ok();
        if inside {
            self.count();
            self.sequence().leave(0);
        }
        inside
    }

    fn read(&self) -> Result<[u64; 2], Counts> {
        self.sequence().read(2, || self.copy())
    }

    /// A thread of user space, as `SeqView::write` does: it takes the lock, also from a thread that is dead, and makes good
    /// what that left. Whether it wrote.
    fn write(&self, mine: u64, value: u64) -> bool {
        let writer = Cell64(&self.writer);
        let Ok(dead) = protocol::lock(writer, mine, |word| self.dead.load(Acquire) == word) else { return false };
        // While nobody else writes, what is seen at one moment is true for longer.
        let abandoned = if dead.is_some() { self.always_inside() } else { 0 };
        let inside = self.sequence().enter(abandoned).is_ok();
        if inside {
            self.value[0].store(value, Relaxed);
            self.value[1].store(value, Relaxed);
            self.sequence().leave(abandoned);
        }
        protocol::unlock(writer, mine);
        inside
    }

    /// How many will never leave, where nobody else comes or goes; and numbers that nobody counted made good.
    fn always_inside(&self) -> u64 {
        let least = self.sequence().least_inside(1).unwrap_or(0);
        if least < 0 {
            self.sequence().mend(least.unsigned_abs());
        }
        least.max(0).unsigned_abs()
    }

    /// The same, killed after so many steps. That a thread has ended, the kernel says after all that the thread did.
    fn write_and_die(&self, mine: u64, value: u64, steps: u32) {
        let steps = Cell::new(steps);
        let alive = || steps.replace(steps.get().saturating_sub(1)) > 0;
        let step = || alive().then_some(());
        let writes = || {
            step()?;
            protocol::lock(Cell64(&self.writer), mine, |_| false).ok()?;
            step()?;
            self.sequence().enter(0).ok()?;
            step()?;
            self.value[0].store(value, Relaxed);
            step()?;
            self.value[1].store(value, Relaxed);
            step()?;
            self.sequence().leave(0);
            Some(())
        };
        writes();
        self.dead.store(mine, Ordering::Release);
    }
}

/// A `BPFVAR_SWITCH` of two words, and what the kernel knows of runs.
#[derive(Default)]
struct Switch {
    version: AtomicU64,
    settled: AtomicU64,
    writer: AtomicU64,
    slots: [[AtomicU64; 2]; 2],
    dead: AtomicU64,
    runs: Mutex<Runs>,
    ended: Condvar,
}

#[derive(Default)]
struct Runs {
    begun: u64,
    ended: u64,
}

impl Switch {
    fn versions(&self) -> Versions<Cell64<'_>> {
        Versions { version: Cell64(&self.version), settled: Cell64(&self.settled) }
    }

    fn copy(&self, slot: usize) -> [u64; 2] {
        [self.slots[slot][0].load(Relaxed), self.slots[slot][1].load(Relaxed)]
    }

    /// A run of a program: what it sees through `bpfvar_current`. Loom knows no dependent loads, which an acquire stands for:
    /// it orders the loads behind it, as the address does that they need.
    fn run(&self) -> [u64; 2] {
        self.runs.lock().unwrap().begun += 1;
        let seen = self.copy(slot_of(self.version.load(Acquire)));
        self.runs.lock().unwrap().ended += 1;
        self.ended.notify_all();
        seen
    }

    /// A grace period: all runs that began before have ended. There is one program.
    fn wait(&self) {
        let mut runs = self.runs.lock().unwrap();
        let begun = runs.begun;
        while runs.ended < begun {
            runs = self.ended.wait(runs).unwrap();
        }
    }

    /// `SwitchWriter::publish`, or `update`; killed after so many steps. Whether it published.
    fn switch(&self, mine: u64, value: u64, waits: bool, steps: u32) -> bool {
        let steps = Cell::new(steps);
        let alive = || steps.replace(steps.get().saturating_sub(1)) > 0;
        let writer = Cell64(&self.writer);
        let mut published = false;
        if alive() && protocol::lock(writer, mine, |word| self.dead.load(Acquire) == word).is_ok() {
            let wait = || {
                self.wait();
                alive().then_some(()).ok_or(())
            };
            let write = |_, to: usize| {
                self.slots[to][0].store(value, Relaxed);
                alive().then_some(()).ok_or(())?;
                self.slots[to][1].store(value, Relaxed);
                alive().then_some(()).ok_or(())
            };
            if let Ok(version) = self.versions().publish(wait, write) {
                published = true;
                if waits && alive() {
                    self.wait();
                    self.settled.store(version, Relaxed);
                }
                if alive() {
                    protocol::unlock(writer, mine);
                    return true;
                }
            }
        }
        if steps.get() == 0 {
            self.dead.store(mine, Ordering::Release);
        }
        published
    }
}

const ALIVE: u32 = 100;

mod tests {
    use loom::thread;

    use super::*;

    fn is_whole([first, second]: [u64; 2]) {
        assert_eq!(first, second, "torn");
    }

    #[test]
    fn a_reader_sees_what_one_program_wrote_whole() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let program = thread::spawn({
                let seq = Arc::clone(&seq);
                move || (seq.program(), seq.program())
            });
            if let Ok(value) = seq.read() {
                is_whole(value);
            }
            program.join().unwrap();
        });
    }

    #[test]
    fn a_reader_sees_what_user_space_wrote_whole() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let user = thread::spawn({
                let seq = Arc::clone(&seq);
                move || (seq.user(), seq.user())
            });
            if let Ok(value) = seq.read() {
                is_whole(value);
            }
            user.join().unwrap();
        });
    }

    #[test]
    fn a_value_that_starts_afresh_is_seen_whole() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let user = thread::spawn({
                let seq = Arc::clone(&seq);
                move || {
                    seq.sequence().enter_anyway();
                    seq.count();
                    seq.sequence().leave(0);
                }
            });
            if let Ok(value) = seq.read() {
                is_whole(value);
            }
            user.join().unwrap();
        });
    }

    #[test]
    fn writers_that_are_inside_are_never_fewer_than_none() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let program = thread::spawn({
                let seq = Arc::clone(&seq);
                move || (seq.user(), seq.user())
            });
            assert!(seq.sequence().inside().is_none_or(|inside| inside >= 0));
            program.join().unwrap();
        });
    }

    /// Two runs, one after the other: at no moment are both inside.
    #[test]
    fn how_many_are_inside_is_of_one_moment() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let program = thread::spawn({
                let seq = Arc::clone(&seq);
                move || (seq.program(), seq.program())
            });
            assert!(seq.sequence().inside().is_none_or(|inside| inside <= 1));
            program.join().unwrap();
        });
    }

    /// A writer was cut short, so many steps into its work; a program comes while the next one makes that good.
    #[test]
    fn what_is_made_good_beside_a_program_is_whole() {
        for steps in 0..6 {
            check(move || {
                let seq = Arc::new(Seq::default());
                seq.write_and_die(1, 1, steps);
                let abandoned = seq.always_inside();
                let program = thread::spawn({
                    let seq = Arc::clone(&seq);
                    move || seq.program()
                });
                let sequence = seq.sequence();
                let wrote = sequence.enter(abandoned).is_ok();
                if wrote {
                    seq.value[0].store(5, Relaxed);
                    seq.value[1].store(5, Relaxed);
                    sequence.leave(abandoned);
                }
                if let Ok(value) = seq.read() {
                    is_whole(value);
                }
                let counted = program.join().unwrap();
                // Nothing is left that keeps others out, unless both refused each other.
                assert_eq!(sequence.inside(), Some(if wrote { 0 } else { abandoned as i64 }));
                if wrote {
                    let [first, second] = seq.copy();
                    assert!(first == second && (first == 5 || counted && first == 6), "{first} {second}");
                }
            });
        }
    }

    /// Who starts from the old value writes only if nobody came since: nothing that a program counted is lost.
    #[test]
    fn a_change_of_the_old_value_loses_nothing() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let program = thread::spawn({
                let seq = Arc::clone(&seq);
                move || u64::from(seq.program())
            });
            let sequence = seq.sequence();
            let copy = || (seq.end.load(Relaxed), seq.copy());
            let mut wrote = 0;
            if let Ok((came, [first, second])) = sequence.read(1, copy) {
                if let Ok(before) = sequence.enter(0) {
                    if before == came {
                        seq.value[0].store(first + 1, Relaxed);
                        seq.value[1].store(second + 1, Relaxed);
                        wrote = 1;
                    }
                    sequence.leave(0);
                }
            }
            let counted = program.join().unwrap();
            assert_eq!(seq.copy(), [wrote + counted; 2]);
        });
    }

    /// More left than came, as only somebody can make it who writes the numbers by hand.
    #[test]
    fn numbers_that_nobody_counted_are_made_good() {
        check(|| {
            let seq = Arc::new(Seq::default());
            seq.sequence().leave(2);
            let program = thread::spawn({
                let seq = Arc::clone(&seq);
                move || seq.program()
            });
            seq.always_inside();
            program.join().unwrap();
            seq.always_inside();
            assert_eq!(seq.sequence().inside(), Some(0));
            assert!(seq.program());
        });
    }

    #[test]
    fn a_program_sees_what_user_space_wrote_whole() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let user = thread::spawn({
                let seq = Arc::clone(&seq);
                move || (seq.user(), seq.user())
            });
            if let Some(value) = seq.program_reads() {
                is_whole(value);
            }
            user.join().unwrap();
        });
    }

    /// Of two at once at most one gets in, and sees all that the other did.
    #[test]
    fn two_writers_lose_nothing() {
        for users in 0..=2 {
            check(move || {
                let seq = Arc::new(Seq::default());
                let one = move |seq: &Seq, user: bool| u64::from(if user { seq.user() } else { seq.program() });
                let other = thread::spawn({
                    let seq = Arc::clone(&seq);
                    move || one(&seq, users > 0)
                });
                let mine = one(&seq, users > 1);
                let wrote = mine + other.join().unwrap();
                assert_eq!(seq.copy(), [wrote; 2]);
                assert_eq!(seq.read().ok(), Some([wrote; 2]));
            });
        }
    }

    #[test]
    fn a_third_that_is_refused_lets_nobody_in() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let spawn = || {
                let seq = Arc::clone(&seq);
                thread::spawn(move || u64::from(seq.user()))
            };
            let others = [spawn(), spawn()];
            let wrote: u64 = u64::from(seq.user()) + others.map(|other| other.join().unwrap()).iter().sum::<u64>();
            assert_eq!(seq.copy(), [wrote; 2]);
        });
    }

    #[test]
    fn a_writer_that_dies_is_made_good_and_never_seen_half_way() {
        for steps in 0..6 {
            check(move || {
                let seq = Arc::new(Seq::default());
                let dies = thread::spawn({
                    let seq = Arc::clone(&seq);
                    move || seq.write_and_die(1, 1, steps)
                });
                let next = thread::spawn({
                    let seq = Arc::clone(&seq);
                    move || seq.write(2, 2)
                });
                if let Ok(value) = seq.read() {
                    is_whole(value);
                }
                dies.join().unwrap();
                next.join().unwrap();
                if let Ok(value) = seq.read() {
                    is_whole(value);
                }
                assert!(seq.write(3, 3), "the next one goes on");
                assert_eq!(seq.read().ok(), Some([3; 2]));
            });
        }
    }

    #[test]
    fn threads_that_lock_take_turns() {
        check(|| {
            let seq = Arc::new(Seq::default());
            let add = |seq: &Seq, mine: u64| {
                let writer = Cell64(&seq.writer);
                if protocol::lock(writer, mine, |_| false).is_err() {
                    return 0;
                }
                seq.count();
                protocol::unlock(writer, mine);
                1
            };
            let other = thread::spawn({
                let seq = Arc::clone(&seq);
                move || add(&seq, 1)
            });
            let wrote = add(&seq, 2) + other.join().unwrap();
            assert_eq!(seq.copy(), [wrote; 2]);
        });
    }

    #[test]
    fn a_run_sees_one_version() {
        for waits in [false, true] {
            check(move || {
                let switch = Arc::new(Switch::default());
                let program = thread::spawn({
                    let switch = Arc::clone(&switch);
                    move || [switch.run(), switch.run()]
                });
                for value in 1..=2 {
                    assert!(switch.switch(1, value, waits, ALIVE));
                }
                let [first, second] = program.join().unwrap();
                is_whole(first);
                is_whole(second);
                assert!(first[0] <= second[0], "time does not go back");
                assert_eq!(switch.run(), [2; 2]);
            });
        }
    }

    #[test]
    fn a_process_that_reads_sees_one_version() {
        check(|| {
            let switch = Arc::new(Switch::default());
            let writer = thread::spawn({
                let switch = Arc::clone(&switch);
                move || (1..=2).for_each(|value| assert!(switch.switch(1, value, true, ALIVE)))
            });
            if let Ok((version, value)) = switch.versions().read(2, |slot| switch.copy(slot)) {
                assert_eq!(value, [version; 2]);
            }
            writer.join().unwrap();
        });
    }

    #[test]
    fn several_writers_and_one_that_dies_lose_nothing() {
        for steps in 0..7 {
            check(move || {
                let switch = Arc::new(Switch::default());
                let dies = thread::spawn({
                    let switch = Arc::clone(&switch);
                    move || switch.switch(1, 1, true, steps)
                });
                let program = thread::spawn({
                    let switch = Arc::clone(&switch);
                    move || switch.run()
                });
                let second = switch.switch(2, 2, false, ALIVE);
                is_whole(program.join().unwrap());
                let first = dies.join().unwrap();
                assert!(switch.switch(3, 3, true, ALIVE), "the next one goes on");
                assert_eq!(switch.version.load(Relaxed), 1 + u64::from(first) + u64::from(second));
                assert_eq!(switch.run(), [3; 2]);
            });
        }
    }
}
