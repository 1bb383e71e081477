//! The lock of those who write from user space, in a word beside the value: it knows the thread that has it, and is taken over from
//! one that was killed.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::{Duration, Instant};

use super::Field;
use super::protocol::{lock, unlock};
use crate::error::{Error, Holder, Object, Result};
use crate::memory::ReadWrite;
use crate::sys::Thread;

/// So long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lock, held. Dropping it gives it back.
///
/// A thread that ends because another one of its process calls `execve` is not found dead while the new program runs: the kernel
/// gives that the process's number and start. Nobody else gets the lock until it ends.
pub(crate) struct Lock<'m> {
    writer: Field<'m, u64, ReadWrite>,
    mine: Thread,
    /// The thread that had it and is dead. It may have left things half done.
    dead: Option<u64>,
}

impl<'m> Lock<'m> {
    /// Takes the lock that `writer` is; waits while another thread has it.
    pub(crate) fn take(writer: Field<'m, u64, ReadWrite>) -> Result<Lock<'m>> {
        let mine = Thread::current();
        // Asked only when there is something to wait for: it is a system call where the clock cannot be read without one.
        let mut start = None;
        let mut sleep = Duration::from_micros(20);
        loop {
            let holder = match lock(writer, mine.word(), |word| Thread::from_word(word).has_ended()) {
                Ok(dead) => return Ok(Lock { writer, mine, dead }),
                Err(holder) if holder == mine.word() => Holder::ThisThread,
                Err(holder) => Holder::Thread(Thread::from_word(holder).id()),
            };
            if holder == Holder::ThisThread || start.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                return Err(Error::Busy { object: Box::new(Object::Value), holder });
            }
            std::thread::sleep(sleep);
            sleep = (sleep * 2).min(Duration::from_millis(2));
        }
    }

    /// Whether a thread had it that is dead.
    pub(crate) fn is_taken_over(&self) -> bool {
        self.dead.is_some()
    }

    /// Gives it back as it was found: whoever takes it next is to know that something may be half done.
    pub(crate) fn give_back_to_the_dead(mut self) {
        if let Some(dead) = self.dead.take() {
            let _ = self.writer.compare_exchange(self.mine.word(), dead, Release, Relaxed);
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        unlock(self.writer, self.mine.word());
    }
}
