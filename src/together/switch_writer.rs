//! Writing a switch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::runs::{Runs, Sleepable};
use crate::error::{Advice, Error, Object, Property, Result, Torn};
use crate::kernel::Map;
use crate::view::{Lock, MapValue, Shared, Switch, SwitchHead, SwitchView};

/// Writes a [`Switch`]: a handle that owns a share of the mapping, from [`Var::switch`](crate::Var::switch),
/// [`Array::switch`](crate::Array::switch) or a field of a [`Bind`](crate::Bind) struct.
///
/// | | returns | programs that began before | the next update |
/// |---|---|---|---|
/// | [`update`](SwitchWriter::update) | when all of them have ended: 5 to 20 ms | have ended | need not wait |
/// | [`publish`](SwitchWriter::publish) | at once | may still read the old value | waits first |
/// | [`update_from`](SwitchWriter::update_from) | as `update`, if nobody switched since | have ended | need not wait |
///
/// A program that begins after any of these returned reads the new value. Whatever happens, no program reads some of the old
/// value and some of the new one in one run, provided that it calls `bpfvar_current` once and does not keep the pointer while
/// it sleeps.
///
/// # Several writers, and those that are killed
///
/// Threads and processes that write one switch take turns, by a lock beside the value, so no update is lost. A thread that
/// waits sleeps in between, and gives up after 5 seconds. A writer that is killed leaves the lock to the next one, which finds
/// out that the thread has ended (not across PID or time namespaces, nor without /proc: there the error says so). What it had
/// prepared was never published, or was published whole; whether it had waited stands in memory, and if not, the next one
/// waits.
///
/// # Sleepable programs
///
/// The kernel gives no way to wait for them with this. So if a sleepable program uses the map, every update is refused with
/// [`Error::MaySleep`], until [`allow_sleepable`](SwitchWriter::allow_sleepable) says that none keeps the value while it
/// sleeps. The kernel's info of a program does not tell whether it is sleepable, only its type. If programs of other types than
/// those for packets, sockets and cgroups use the map, a BPF iterator of a dozen instructions is loaded for a moment, which looks
/// into the kernel's own struct (Linux 5.10; `CAP_BPF`, `CAP_PERFMON`; 30 ms the first time, for the kernel's BTF). Where that
/// does not work, all programs of a type that can be sleepable count as such: kprobe, among which uprobes are, fentry and fexit,
/// LSM, struct_ops, syscall. Extensions (`freplace`) always do, as they are a part of another
/// program; so do programs with work that runs later and may sleep: a `bpf_wq` or `bpf_task_work` in a map of theirs. Which
/// programs use the map takes `CAP_SYS_ADMIN` to see; without it, every update is refused.
///
/// Some cannot be seen: programs that reach the switch, or a `bpf_wq`, only through a map of maps; a `bpf_iter` program over the
/// map's elements; a sleepable program that was unloaded while it slept; and socket filters of KCM sockets, which the kernel runs
/// outside of RCU. Do not put a switch into an inner map. A sleepable program that holds `bpf_rcu_read_lock()` (Linux
/// 6.2) from `bpfvar_current` to its last look is waited for, and so harmless.
///
/// # Privileges and kernels
///
/// Waiting needs `CAP_BPF`: it creates a map of maps. Linux 5.5, as all mapping.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Bind, Globals, MapValue, SwitchWriter};
///
/// #[derive(MapValue, Clone, Copy)]
/// #[repr(C)]
/// struct Config { rate: u64, mode: u32, burst: u32 }
///
/// #[derive(Bind)]
/// struct Count { config: SwitchWriter<Config> } // BPFVAR_SWITCH(struct config) config;
///
/// let count = Count::bind(&Globals::by_name("count")?)?;
/// count.config.update(|config| { config.rate = 5; config.mode = 1 })?; // no run sees one without the other
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub struct SwitchWriter<T> {
    switch: Shared<Switch<T>>,
    runs: Arc<Runs>,
    sleepable: Sleepable,
    object: Object,
}

impl<T: MapValue> SwitchWriter<T> {
    /// Makes one for a switch in `map`, or in the process.
    pub(crate) fn new(switch: Shared<Switch<T>>, map: Option<&Map>, object: Object) -> Result<SwitchWriter<T>> {
        Ok(SwitchWriter { switch, runs: Arc::new(Runs::of(map)?), sleepable: Sleepable::Refused, object })
    }

    /// Says that no program keeps the value while it sleeps, whatever its type: it is not sleepable, or reads all that it needs of
    /// the value before it sleeps. If that is wrong, such a program may read parts of two versions.
    pub fn allow_sleepable(self) -> SwitchWriter<T> {
        SwitchWriter { sleepable: Sleepable::Allowed, ..self }
    }

    /// Returns the view, which reads.
    pub fn view(&self) -> SwitchView<'_, T, crate::ReadWrite> {
        self.switch.view()
    }

    /// Returns a copy of the current value, all of one version: [`SwitchView::read`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn read(&self) -> Result<T, Torn> {
        self.view().read()
    }

    /// Returns the version: how many times it was switched.
    pub fn version(&self) -> u64 {
        self.view().version()
    }

    /// Switches to what `change` makes of a copy of the current value, and waits until no program can still read the old one.
    /// Returns the new version. If `change` panics, nothing is changed.
    ///
    /// # Errors
    ///
    /// [`Error::MaySleep`]; [`Error::Busy`] if another writer does not finish, or `change` itself switches. Nothing is changed
    /// then. If the wait fails ([`Error::Kernel`]), the next update waits: where it fails before the switch, nothing is
    /// changed; after it, the new value is there.
    pub fn update(&self, change: impl FnOnce(&mut T)) -> Result<u64> {
        self.switch(None, Then::Wait, change)
    }

    /// Switches, and returns at once: programs that began before may still read the old value. The next update of anybody waits
    /// for them before it writes anything.
    ///
    /// # Errors
    ///
    /// As [`SwitchWriter::update`].
    pub fn publish(&self, change: impl FnOnce(&mut T)) -> Result<u64> {
        self.switch(None, Then::Return, change)
    }

    /// As [`SwitchWriter::update`], if the version is still `version`, as
    /// [`SwitchView::read_versioned`](crate::SwitchView::read_versioned) gave it: for changes that were worked out from that value.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] of [`Property::Version`] if somebody switched since; nothing is changed. And as
    /// [`SwitchWriter::update`].
    pub fn update_from(&self, version: u64, change: impl FnOnce(&mut T)) -> Result<u64> {
        self.switch(Some(version), Then::Wait, change)
    }

    /// Waits until no program can still read an older value than the current one: after [`SwitchWriter::publish`], for whoever
    /// wants to know when it has taken effect. Returns at once if somebody has waited already.
    ///
    /// # Errors
    ///
    /// As [`SwitchWriter::update`].
    pub fn settle(&self) -> Result<()> {
        let result = settle(self.switch.view().head(), &self.runs, self.sleepable);
        result.map_err(|error| error.about(self.object.clone()))
    }

    fn switch(&self, from: Option<u64>, then: Then, change: impl FnOnce(&mut T)) -> Result<u64> {
        let view = self.switch.view();
        let result = switch::<Error>(view.head(), (&self.runs, self.sleepable), from, then, |old, new| {
            let mut value = view.slot(old).read();
            change(&mut value);
            view.slot(new).write_from(&value);
            Ok(())
        });
        result.map_err(|error| error.about(self.object.clone()))
    }
}

/// Whether to wait for programs that still see the old value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Wait,
    Return,
}

/// Switches to what `write` makes of the old slot in the new one. Gives the version.
pub(crate) fn switch<E: From<Error>>(
    head: SwitchHead<'_, crate::ReadWrite>,
    (runs, sleepable): (&Runs, Sleepable),
    from: Option<u64>,
    then: Then,
    write: impl FnOnce(usize, usize) -> Result<(), E>,
) -> Result<u64, E> {
    let _lock = Lock::take(head.writer)?;
    // Not before: while this one waited for the lock, others switched, and programs were loaded.
    runs.check(sleepable)?;
    let found = head.version.load(Relaxed);
    if let Some(from) = from.filter(|from| *from != found) {
        return Err(E::from(Error::Mismatch {
            object: Box::new(Object::Value),
            property: Property::Version,
            found: found.to_string(),
            expected: format!("{from}, which the change was made from"),
            advice: Some(Advice::ReadAgain),
        }));
    }
    let version = head.versions().publish(|| runs.wait().map_err(E::from), write)?;
    if then == Then::Wait {
        runs.wait()?;
        head.settled.store(version, Relaxed);
    }
    Ok(version)
}

fn settle(head: SwitchHead<'_, crate::ReadWrite>, runs: &Runs, sleepable: Sleepable) -> Result<()> {
    let _lock = Lock::take(head.writer)?;
    runs.check(sleepable)?;
    let version = head.version.load(Relaxed);
    if head.settled.load(Relaxed) != version {
        runs.wait()?;
        head.settled.store(version, Relaxed);
    }
    Ok(())
}

impl<T> Clone for SwitchWriter<T> {
    fn clone(&self) -> Self {
        SwitchWriter {
            switch: self.switch.clone(),
            runs: Arc::clone(&self.runs),
            sleepable: self.sleepable,
            object: self.object.clone(),
        }
    }
}

/// Prints the current value.
impl<T: MapValue> fmt::Debug for SwitchWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
