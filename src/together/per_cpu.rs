//! A value for each CPU.

use std::fmt;

use crate::error::{Advice, Call, Cause, Error, Object, Property, Result};
use crate::memory::{Access, ReadWrite};
use crate::sys;
use crate::view::{Field, Integer, MapValue, Shared};

/// A value for each CPU, in memory that is mapped: `BPFVAR_PERCPU(type)` of `bpfvar.bpf.h`, or an array map with an entry for each
/// CPU. Each program writes that of the CPU on which it runs, so that no two CPUs write one cache line; user space adds them up.
///
/// [`Var::per_cpu`](crate::Var::per_cpu) and [`Array::per_cpu`](crate::Array::per_cpu) give one. They check that there is a
/// slot for every CPU that the kernel can ever have. It is a handle: it owns a share of the mapping.
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, CacheLine, MapValue, PerCpu};
/// use std::sync::atomic::Ordering::Relaxed;
///
/// #[derive(MapValue, Clone, Copy)]
/// #[repr(C)]
/// struct Counters { packets: u64, bytes: u64 }
///
/// let counters = PerCpu::<Counters>::in_process(4);
/// counters.at(2).packets.fetch_add(3, Relaxed); // as a program on CPU 2 does
/// counters.at(3).packets.fetch_add(4, Relaxed);
/// assert_eq!(counters.sum(|counters| counters.packets), 7);
/// for (cpu, counters) in counters.iter().enumerate() {
///     println!("CPU {cpu}: {counters:?}");
/// }
/// ```
pub struct PerCpu<T, A = ReadWrite> {
    slots: Vec<Shared<T, A>>,
}

impl<T: MapValue, A: Access> PerCpu<T, A> {
    /// Of slots that there are enough of; those for CPUs that the machine has not are left out.
    pub(crate) fn new(
        available: u32,
        object: impl FnOnce() -> Object,
        slot: impl FnMut(u32) -> Result<Shared<T, A>>,
    ) -> Result<Self> {
        let needed = cpus()?;
        check_slots(available, needed, object)?;
        Ok(PerCpu { slots: (0..needed).map(slot).collect::<Result<_>>()? })
    }

    pub(crate) fn of_slots(slots: Vec<Shared<T, A>>) -> Self {
        PerCpu { slots }
    }

    /// Returns the number of slots: the highest number that a CPU of this machine can have, plus 1.
    #[expect(clippy::len_without_is_empty, reason = "every machine has a CPU")]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns the view of the value of CPU `cpu`.
    ///
    /// # Panics
    ///
    /// If there is no such CPU.
    #[inline]
    #[track_caller]
    pub fn at(&self, cpu: usize) -> T::View<'_, A> {
        self.slots[cpu].view()
    }

    /// Returns the views of all values, CPU 0 first.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T::View<'_, A>> {
        self.slots.iter().map(Shared::view)
    }

    /// Adds up a scalar of all CPUs: `counters.sum(|counters| counters.packets)`. The sum is a `u64` or `i64` and wraps around.
    /// Each load is relaxed: not a moment's picture.
    #[inline]
    pub fn sum<'a, I: Integer>(&'a self, scalar: impl Fn(T::View<'a, A>) -> Field<'a, I, A>) -> I::Sum {
        I::add_up(self.slots.len(), |cpu| scalar(self.slots[cpu].view()).read())
    }

    /// Returns a handle to the value of CPU `cpu`.
    ///
    /// # Panics
    ///
    /// If there is no such CPU.
    #[track_caller]
    pub fn share(&self, cpu: usize) -> Shared<T, A> {
        self.slots[cpu].clone()
    }
}

/// That there is a slot for each CPU.
pub(crate) fn check_slots(available: u32, needed: u32, object: impl FnOnce() -> Object) -> Result<()> {
    if available >= needed {
        return Ok(());
    }
    Err(Error::Mismatch {
        object: Box::new(object()),
        property: Property::CpuSlots,
        found: available.to_string(),
        expected: format!("{needed} or more, because the machine can have CPUs up to number {}", needed - 1),
        advice: Some(Advice::MoreSlots),
    })
}

/// The number of slots that this machine needs: the highest number that a CPU can have, plus 1.
pub(crate) fn cpus() -> Result<u32> {
    Ok(possible()?.last().map_or(1, |last| last + 1))
}

/// The numbers of the CPUs that there can be.
pub(crate) fn possible() -> Result<&'static [u32]> {
    sys::possible_cpus().map_err(|source| Error::Kernel {
        call: Call::PossibleCpus,
        object: Box::new(Object::System),
        cause: Cause::Other,
        source,
    })
}

impl<T, A> Clone for PerCpu<T, A> {
    fn clone(&self) -> Self {
        PerCpu { slots: self.slots.clone() }
    }
}

/// Prints the values that are there now.
impl<T: MapValue, A: Access> fmt::Debug for PerCpu<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
