//! Who a thread is, in a word that another process can read, and whether it has ended.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::file::read_proc;

/// A thread, in a word: its number in its PID namespace (22 bits, as the kernel has no more), the namespaces that this number
/// and its start time belong to (20 bits of their numbers), and when it was started, in clock ticks (22 bits: 11 hours). Never
/// 0.
///
/// A thread and not a process: it is the thread that was in the middle of something, and the others of its process can live on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thread(u64);

const ID_BITS: u32 = 22;
const SPACE_BITS: u32 = 20;

impl Thread {
    /// The thread that calls.
    pub(crate) fn current() -> Thread {
        thread_local! {
            static KNOWN: Cell<Option<(u64, Thread)>> = const { Cell::new(None) };
        }
        // SAFETY: it only asks.
        let id = unsafe { libc::gettid() } as u64;
        // A forked child inherits what its parent knew of itself, and can have the number that an ancestor had.
        let forks = forks();
        let known = KNOWN.get().filter(|(then, known)| *then == forks && known.id() == id);
        known.map(|(_, known)| known).unwrap_or_else(|| {
            let thread = match start("thread-self") {
                Some(start) => Thread::new(id, own_space(id), start),
                // Nobody can tell whether it has ended.
                None => Thread::new(id, 0, 0),
            };
            if thread.space() != 0 {
                KNOWN.set(Some((forks, thread)));
            }
            thread
        })
    }

    /// One that was found in memory.
    pub(crate) fn from_word(word: u64) -> Thread {
        Thread(word)
    }

    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// Its number, in its own PID namespace.
    pub(crate) fn id(self) -> u64 {
        self.0 & ((1 << ID_BITS) - 1)
    }

    fn space(self) -> u64 {
        self.0 >> ID_BITS & ((1 << SPACE_BITS) - 1)
    }

    fn new(id: u64, space: u64, start: u64) -> Thread {
        let space = space & ((1 << SPACE_BITS) - 1);
        Thread(id & ((1 << ID_BITS) - 1) | space << ID_BITS | start << (ID_BITS + SPACE_BITS))
    }

    /// Whether it is known that the thread has ended. False if it lives, and if that cannot be told: it is of another namespace,
    /// or /proc is not there.
    pub(crate) fn has_ended(self) -> bool {
        // SAFETY: it only asks.
        let id = unsafe { libc::gettid() } as u64;
        // Asked anew: this thread may have gone to other namespaces.
        let here = own_space(id) & ((1 << SPACE_BITS) - 1);
        if here == 0 || here != self.space() || self.id() == 0 {
            return false;
        }
        // SAFETY: signal 0 is none: the call only looks whether there is such a thread.
        let is_there = unsafe { libc::kill(self.id() as libc::pid_t, 0) } == 0;
        if !is_there && io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH) {
            return true;
        }
        // There is one of that number, perhaps another user's, or what its parent has not collected yet. procfs can hide it
        // (hidepid).
        let Ok(stat) = stat(&self.id().to_string()) else { return false };
        let Some(start) = started(&stat) else { return false };
        let same = Thread::new(self.id(), here, start) == self;
        !same || matches!(field(&stat, 3), Some("Z" | "X" | "x"))
    }
}

/// A number that a forked child has not in common with its parent: what the parent knew of itself is not true of the child.
fn forks() -> u64 {
    static FORKS: AtomicU64 = AtomicU64::new(0);
    static COUNTED: AtomicU8 = AtomicU8::new(NEVER_ASKED);
    const NEVER_ASKED: u8 = 0;
    const YES: u8 = 1;
    const NO: u8 = 2;
    extern "C" fn count() {
        FORKS.fetch_add(1, Relaxed);
    }
    // Nobody waits here for a thread that asks at the same time: a child that is forked meanwhile has no such thread. Then both ask, and
    // a fork counts twice.
    if COUNTED.load(Relaxed) == NEVER_ASKED {
        // SAFETY: the function may run in a child of a process with several threads: all it does is to add to an atomic.
        let asked = unsafe { libc::pthread_atfork(None, None, Some(count)) };
        COUNTED.store(if asked == 0 { YES } else { NO }, Relaxed);
    }
    if COUNTED.load(Relaxed) == YES {
        FORKS.load(Relaxed)
    } else {
        // Without memory for that nothing is kept from one call to the next.
        FORKS.fetch_add(1, Relaxed)
    }
}

fn stat(of: &str) -> io::Result<String> {
    read_proc(&format!("/proc/{of}/stat"))
}

/// A field of /proc/PID/stat, from the third on. The second, the name, may have spaces and parentheses in it.
fn field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(number - 3)
}

/// When a thread was started, if procfs tells.
fn start(of: &str) -> Option<u64> {
    started(&stat(of).ok()?)
}

fn started(stat: &str) -> Option<u64> {
    field(stat, 22)?.parse().ok()
}

/// The namespaces of thread numbers and of time, mixed; 0 if they are not known, or if /proc belongs to another PID namespace, so
/// that nothing can be looked up there.
fn own_space(id: u64) -> u64 {
    // The numbers that it has in the namespace of /proc and in all below it, down to its own: one, if that is the same.
    let status = read_proc("/proc/thread-self/status").unwrap_or_default();
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let is_own = numbers.is_some_and(|numbers| numbers.split_ascii_whitespace().eq([id.to_string()]));
    let number = |name: &str| fs::metadata(format!("/proc/thread-self/ns/{name}")).map_or(0, |meta| meta.ino());
    // Kernels before 5.6 have no time namespaces.
    if is_own { number("pid") ^ number("time").rotate_left(10) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_alive_until_it_has_ended() {
        let mine = Thread::current();
        assert_ne!(mine.space(), 0);
        assert!(!mine.has_ended());
        let (send, receive) = std::sync::mpsc::channel();
        let (end, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            send.send(Thread::current()).unwrap();
            wait.recv().unwrap_err();
        });
        let other = receive.recv().unwrap();
        assert_ne!(other, mine);
        assert!(!other.has_ended());
        drop(end);
        thread.join().unwrap();
        // The kernel wakes whoever joins before it takes the number away.
        while !other.has_ended() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_process_that_is_not_collected_has_ended_all_the_same() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = u64::from(child.id());
        let thread = Thread::new(id, own_space(Thread::current().id()), start(&id.to_string()).unwrap());
        while !thread.has_ended() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(thread.has_ended());
    }

    /// A number can come back to a descendant, and it must not come with what an ancestor knew of itself.
    #[test]
    fn a_forked_child_asks_anew_who_it_is() {
        let mine = Thread::current();
        let before = forks();
        // SAFETY: the child only loads an atomic and ends.
        match unsafe { libc::fork() } {
            // SAFETY: ends the child, and runs nothing of the parent's.
            0 => unsafe { libc::_exit(i32::from(forks() == before)) },
            child => {
                let mut status = -1;
                // SAFETY: `status` is writable.
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(status, 0);
            }
        }
        assert_eq!((forks(), Thread::current()), (before, mine));
    }

    #[test]
    fn another_start_or_another_namespace() {
        let mine = Thread::current();
        let space = own_space(mine.id());
        let started = start("thread-self").unwrap();
        assert!(Thread::new(mine.id(), space, started + 1).has_ended(), "the number is another thread's now");
        assert!(!Thread::new(mine.id(), space + 1, started + 1).has_ended(), "nothing is known of other namespaces");
        assert!(!Thread::new(0, space, 0).has_ended());
        assert!(!Thread::new(mine.id(), 0, 0).has_ended(), "one that did not know who it is");
    }

    #[test]
    fn a_name_can_hold_anything() {
        // Rust cuts it after 15 bytes, in the middle of a character.
        let thread = std::thread::Builder::new().name("abcdefghijklmn\u{e4}x".to_owned());
        let word = thread.spawn(|| Thread::current().space()).unwrap().join().unwrap();
        assert_eq!(word, Thread::current().space());
        let stat = "17 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!((field(stat, 3), field(stat, 22)), (Some("S"), Some("4711")));
        assert_eq!(field("17", 3), None);
    }
}
