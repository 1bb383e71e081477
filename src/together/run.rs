//! Runs of programs, simulated by threads of this process.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::memory::Access;
use crate::view::{MapValue, SwitchView, slot_of};

/// A run of a BPF program, simulated by a thread of this process: for tests of what reads and writes a
/// [`Switch`](crate::Switch), without a kernel. What [`current`](Run::current) gives is of one version until the run ends, when
/// it is dropped.
///
/// The [`SwitchWriter`](crate::SwitchWriter) of an array [in the process](crate::Array::in_process) waits for all runs that
/// began before, as that of a map waits for programs. So a thread must not call [`update`](crate::SwitchWriter::update) within
/// a run of its own: it would wait for ever. So would everybody after a run that is never dropped ([`std::mem::forget`]).
///
/// ```
/// use bpfvar::{Array, Run, Switch};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let configs = Array::<Switch<[u64; 2]>>::in_process(1);
/// let config = configs.switch(0)?;
/// std::thread::scope(|scope| {
///     let program = scope.spawn(|| {
///         let mut runs = 0;
///         while runs < 1000 {
///             let run = Run::begin();
///             let current = run.current(configs.at(0)); // as bpfvar_current(&config)
///             assert_eq!(current.at(0).load(Relaxed), current.at(1).load(Relaxed)); // one version
///             runs += 1;
///         }
///     });
///     for number in 0.. {
///         config.update(|config| *config = [number, number])?;
///         if program.is_finished() {
///             break;
///         }
///     }
///     Ok::<(), bpfvar::Error>(())
/// })?;
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "the run ends when it is dropped"]
pub struct Run(u64);

/// The runs that are going on, by the order in which they began.
#[derive(Debug)]
struct Going {
    next: u64,
    runs: BTreeSet<u64>,
}

static GOING: Mutex<Going> = Mutex::new(Going { next: 0, runs: BTreeSet::new() });
static ENDED: Condvar = Condvar::new();

fn going() -> MutexGuard<'static, Going> {
    // Nothing in here panics half way.
    GOING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    /// Begins a run.
    pub fn begin() -> Run {
        let mut going = going();
        let number = going.next;
        going.next += 1;
        going.runs.insert(number);
        Run(number)
    }

    /// Returns the view of the current value: what `bpfvar_current` gives a program.
    pub fn current<'r, T: MapValue, A: Access>(&'r self, switch: SwitchView<'r, T, A>) -> T::View<'r, A> {
        T::view(switch.slot(slot_of(switch.version())))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        going().runs.remove(&self.0);
        ENDED.notify_all();
    }
}

/// Waits until every run that began before this call has ended.
pub(super) fn wait_for_all() {
    let mut going = going();
    let before = going.next;
    while going.runs.first().is_some_and(|first| *first < before) {
        going = ENDED.wait(going).unwrap_or_else(PoisonError::into_inner);
    }
}
