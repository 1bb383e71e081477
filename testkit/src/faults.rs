//! What goes wrong around a process: its limits are reached, signals come, it may have left something open. All of it
//! concerns the whole process, so a test does it in a process of its own (see [`crate::host::alone`]).

use std::fs;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many descriptors this process has open, and how many mappings of BPF maps it has.
///
/// # Panics
///
/// If /proc does not tell.
pub fn holds() -> (usize, usize) {
    // The directory's own descriptor is one of them, each time.
    let descriptors = fs::read_dir("/proc/self/fd").expect("/proc is mounted").count();
    let mappings = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    (descriptors, mappings.lines().filter(|line| line.contains("bpf-map")).count())
}

/// Sets how much more address space this process may take.
///
/// # Panics
///
/// If the kernel refuses.
pub fn limit_address_space(more: u64) {
    let status = fs::read_to_string("/proc/self/statm").expect("/proc is mounted");
    let pages: u64 = status.split(' ').next().and_then(|pages| pages.parse().ok()).expect("a number of pages");
    let limit = pages * crate::host::page_size() as u64 + more;
    crate::host::set_limit(libc::RLIMIT_AS, limit);
}

static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count_signal(_: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Runs `work` while a signal comes at every `interval`, and gives how many came. Calls of the kernel are not restarted after them.
///
/// # Panics
///
/// If the kernel refuses.
pub fn under_signals<R>(interval: Duration, work: impl FnOnce() -> R) -> (R, u64) {
    // SAFETY: a struct of numbers and addresses; zero is no flags, no restorer and an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count_signal as *const () as usize;
    // SAFETY: the struct is read only, and the handler does what a handler may: it adds to an atomic.
    let result = unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    let before = SIGNALS.load(Ordering::Relaxed);
    set_timer(interval);
    let result = work();
    set_timer(Duration::ZERO);
    (result, SIGNALS.load(Ordering::Relaxed) - before)
}

fn set_timer(interval: Duration) {
    let seconds = interval.as_secs().try_into().expect("a time that is waited for");
    let time = libc::timeval { tv_sec: seconds, tv_usec: interval.subsec_micros().into() };
    let timer = libc::itimerval { it_interval: time, it_value: time };
    // SAFETY: the struct is read only.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}
