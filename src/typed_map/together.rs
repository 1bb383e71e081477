//! Values that change together, by their BTF: what `bpfvar.bpf.h` declares is read and written as one, without being asked.

use std::sync::atomic::{Ordering::Acquire, fence};

use super::path::Step;
use super::{TypedMap, Var};
use crate::error::{Advice, Error, Result, Torn};
use crate::mapped::Put;
use crate::memory::{Access, ReadOnly, ReadWrite};
use crate::together::{PerCpu, Runs, Sleepable, SwitchWriter, Then, check_slots, cpus, possible, switch};
use crate::types::{Kind, Part, Wrapper, pieces};
use crate::value::{Value, decode};
use crate::view::{MapValue, Start, Switch, TRIES, bpfvar_seq, bpfvar_switch};

/// What stands between an entry and a part of it. Offsets are those of the entry, in the first slot of what has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// A sequence lock, whose words are at `head`.
    Seq { head: u64, value: Part },
    /// A switch, whose words are at `head`, with two slots, the first of which is `value`.
    Switch { head: u64, value: Part },
    /// A slot for each CPU.
    Slots { stride: u64, slots: u32 },
    /// A copy for each CPU, which the kernel gives all at once.
    Copies(Cpu),
    /// The words of one of these themselves, which are only read: who writes them by hand breaks what they count.
    Words,
}

/// Which CPU's copy is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cpu {
    /// All, unless an index follows.
    NotChosen,
    All,
    One(u32),
}

impl Guard {
    /// The same, this much further on.
    fn shifted(self, by: u64) -> Guard {
        let shift = |part: Part| Part { offset: part.offset + by, ..part };
        match self {
            Guard::Seq { head, value } => Guard::Seq { head: head + by, value: shift(value) },
            Guard::Switch { head, value } => Guard::Switch { head: head + by, value: shift(value) },
            other => other,
        }
    }
}

/// A change that was not made, or not to be made.
pub(super) enum Stop {
    Error(Error),
    Unchanged,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

/// # Values that change together
impl Var {
    /// Returns what writes the variable, if it is declared by `BPFVAR_SWITCH`: all of it changes at once, for every program.
    /// `T` is the type of the value, and is checked against BTF.
    ///
    /// # Errors
    ///
    /// [`Error::Layout`] if it is no switch, or its value is no `T`. And as [`Var::bind`], [`Array::switch`](crate::Array::switch).
    pub fn switch<T: MapValue>(&self) -> Result<SwitchWriter<T>> {
        SwitchWriter::new(self.bind::<Switch<T>, ReadWrite>()?, Some(self.map().as_map()), self.object())
    }

    /// Returns handles to the values of all CPUs, if the variable is declared by `BPFVAR_PERCPU` or is an array with an element for
    /// each CPU. `T` is the type of one value, and is checked against BTF; it may be a [`Seq`](crate::Seq).
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] of [`Property::CpuSlots`](crate::error::Property::CpuSlots) if there are fewer slots than the
    /// machine can have CPUs. [`Error::Layout`], [`Error::Argument`]; and as [`Var::bind`].
    pub fn per_cpu<T: MapValue, A: Access>(&self) -> Result<PerCpu<T, A>> {
        let slots = match (self.wrapper(), self.elements()) {
            (Some(Wrapper::PerCpu { slots, .. }), _) => slots,
            (None, Some(len)) => len,
            _ => {
                let rule = "it has no slot for each CPU (BPFVAR_PERCPU, or an array)".to_owned();
                return Err(self.argument("path", format!("{:?}", self.path()), rule, None));
            }
        };
        PerCpu::new(slots, || self.object(), |cpu| self.at(&format!("[{cpu}]"))?.bind())
    }

    /// Returns the variable as each CPU has it, CPU 0 first, if it has a value for each or is a part of what has:
    /// `counters[0]`, `counters[1]`; `counters[0].packets`, `counters[1].packets`. Empty for everything else, and for all entries of
    /// a map.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] if the kernel does not tell how many CPUs there can be.
    pub fn each_cpu(&self) -> Result<Vec<Var>> {
        if let Some(slots) = self.cpu_slots() {
            return self.at_each_cpu(slots, "");
        }
        if !self.guards.iter().any(|guard| matches!(guard, Guard::Slots { .. } | Guard::Copies(Cpu::All))) {
            return Ok(Vec::new());
        }
        // The start of its path that has a value for each CPU.
        let whole = self.start();
        let rest = self.path().strip_prefix(whole.path()).unwrap_or_default();
        let borders = rest.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(at, _)| at);
        // An index behind a map is that of an entry, also where there is only one.
        let names_entry = whole.is_map() && rest.starts_with('[');
        for (path, rest) in borders.skip(usize::from(names_entry)).map(|at| rest.split_at(at)) {
            let start = whole.at(path)?;
            if let Some(slots) = start.cpu_slots() {
                return start.at_each_cpu(slots, rest);
            }
        }
        Ok(Vec::new())
    }

    /// How many CPUs have a value of it, if the next step in its path is that of a CPU.
    fn cpu_slots(&self) -> Option<u32> {
        match (self.wrapper(), self.guards.last()) {
            (Some(Wrapper::PerCpu { slots, .. }), _) => Some(slots),
            (None, Some(Guard::Copies(Cpu::NotChosen))) if self.single().is_some() => Some(u32::MAX),
            _ => None,
        }
    }

    fn at_each_cpu(&self, slots: u32, rest: &str) -> Result<Vec<Var>> {
        // Behind the only entry of a map that was not named.
        let entry = if self.path() == self.map().info().name && self.linkage().is_none() { "[0]" } else { "" };
        let possible = possible()?.iter().filter(|cpu| **cpu < slots);
        possible.map(|cpu| self.at(&format!("{entry}[{cpu}]{rest}"))).collect()
    }

    /// Says that no program keeps the value while it sleeps: see [`SwitchWriter`]. For a variable that is a switch.
    pub fn allow_sleepable(mut self) -> Var {
        self.sleepable = Sleepable::Allowed;
        self
    }

    /// Returns how the variable changes as one, or what it is in: `BPFVAR_SEQ`, `BPFVAR_SWITCH`, `BPFVAR_PERCPU`, from the
    /// outside to the inside. A per-CPU map, which the kernel copies, counts as `BPFVAR_PERCPU`. Empty for everything else.
    pub fn together(&self) -> Vec<&'static str> {
        let name = |guard: &Guard| match guard {
            Guard::Seq { .. } => Some("BPFVAR_SEQ"),
            Guard::Switch { .. } => Some("BPFVAR_SWITCH"),
            Guard::Slots { .. } | Guard::Copies(_) => Some("BPFVAR_PERCPU"),
            Guard::Words => None,
        };
        self.unwrapped().guards.iter().filter_map(name).collect()
    }

    /// The wrapper that it is. None where its words would not be aligned, as only forged BTF has it.
    pub(super) fn wrapper(&self) -> Option<Wrapper> {
        let part = self.part();
        (part.bits.is_none() && part.offset % 8 == 0).then(|| self.btf().wrapper(part.of)).flatten()
    }

    /// What is in it, if it is a wrapper, or in the wrapper in that.
    pub(super) fn unwrapped(&self) -> Var {
        let mut var = self.clone();
        while let Some(wrapper) = var.wrapper() {
            var.enter(wrapper);
        }
        var
    }

    /// Goes from a wrapper to its value.
    pub(super) fn enter(&mut self, wrapper: Wrapper) {
        let head = self.part.offset;
        let value = wrapper.value();
        let value = Part { offset: head + value.offset, ..value };
        self.guards.push(match wrapper {
            Wrapper::Seq(_) => Guard::Seq { head, value },
            Wrapper::Switch(_) => Guard::Switch { head, value },
            Wrapper::PerCpu { stride, slots, .. } => Guard::Slots { stride, slots },
        });
        self.part = value;
    }

    /// Takes a step that is no step into a type: to the slot of a CPU.
    pub(super) fn step_to_cpu(&mut self, step: &Step) -> Result<bool> {
        let missing = |var: &Var, index: u64, slots: u32| {
            let rule = format!("there is no CPU {index}; they are 0 to {}", slots - 1);
            Err(var.argument("path", format!("{:?}", var.path()), rule, None))
        };
        match (step, self.guards.last_mut()) {
            (Step::Index(index), Some(Guard::Copies(cpu @ Cpu::NotChosen))) => {
                let slots = cpus()?;
                if *index >= u64::from(slots) {
                    return missing(self, *index, slots);
                }
                *cpu = Cpu::One(*index as u32);
                return Ok(true);
            }
            (Step::Member(_), Some(Guard::Copies(cpu @ Cpu::NotChosen))) => *cpu = Cpu::All,
            _ => {}
        }
        while let Some(wrapper) = self.wrapper() {
            match (wrapper, step) {
                (Wrapper::PerCpu { first, stride, slots }, Step::Index(index)) => {
                    let slots = slots.min(cpus()?);
                    if *index >= u64::from(slots) {
                        return missing(self, *index, slots);
                    }
                    self.part = Part { offset: self.part.offset + first.offset + index * stride, ..first };
                    return Ok(true);
                }
                (_, Step::Member(name)) if name.starts_with("bpfvar_") => {
                    self.guards.push(Guard::Words);
                    return Ok(false);
                }
                _ => self.enter(wrapper),
            }
        }
        Ok(false)
    }

    /// The same in another slot.
    fn shifted(mut self, by: u64) -> Var {
        self.part.offset += by;
        self.guards.iter_mut().for_each(|guard| *guard = guard.shifted(by));
        self
    }

    /// The outermost guard, and what is behind it.
    fn split(&self) -> Option<(Guard, Var)> {
        let first = self.guard()?;
        let mut behind = self.clone();
        behind.guards.remove(0);
        Some((first, behind))
    }

    /// The value in an entry, through all guards.
    pub(super) fn read_entry(&self, entry: u32) -> Result<Value> {
        let Some((guard, behind)) = self.split() else { return self.read_unguarded(entry) };
        match guard {
            Guard::Slots { stride, slots } => {
                let needed = cpus()?;
                check_slots(slots, needed, || self.object())?;
                let each: Result<Vec<_>> = (0..u64::from(needed))
                    .map(|slot| behind.clone().shifted(slot * stride).read_entry(entry))
                    .collect();
                Ok(Value::sum(each?))
            }
            Guard::Words => behind.read_entry(entry),
            Guard::Copies(cpu) => self.read_copies(entry, cpu),
            Guard::Seq { .. } | Guard::Switch { .. } if behind.is_plain() => {
                Ok(decode(self.btf(), self.part, &self.read_as_one(entry)?))
            }
            Guard::Seq { head, .. } => self.map().read_seq(entry, head, || behind.read_entry(entry)),
            Guard::Switch { head, value } => {
                let stride = self.btf().size(value.of).unwrap_or(0);
                self.map().read_switch(entry, head, |slot| behind.clone().shifted(slot * stride).read_entry(entry))
            }
        }
    }

    /// Whether its bytes are its value.
    pub(super) fn is_plain(&self) -> bool {
        self.guards.is_empty() && !self.btf().holds_wrapper(self.part.of)
    }

    fn read_unguarded(&self, entry: u32) -> Result<Value> {
        if self.is_plain() {
            let bytes = if self.is_text() { self.read_text(entry) } else { self.map().read(entry, self.bytes()) }?;
            return Ok(decode(self.btf(), self.part, &bytes));
        }
        // Part by part, as each has guards of its own.
        let read = |part: Part| {
            let mut var = self.clone();
            var.part = Part { offset: self.part.offset + part.offset, ..part };
            var.unwrapped().read_entry(entry)
        };
        match self.btf().kind(self.part.of) {
            Kind::Array { element, len } => {
                let size = self.btf().size(*element).unwrap_or(0);
                let part = |index| Part { of: *element, offset: index * size, bits: None };
                // Elements without bytes, of which there may be any number, are none.
                let len = if size == 0 { 0 } else { u64::from(*len) };
                (0..len).map(|index| read(part(index))).collect::<Result<_>>().map(Value::Array)
            }
            Kind::Struct { members, .. } => {
                let member = |(name, part): (&str, Part)| Ok((name.to_owned(), read(part)?));
                self.btf().named_parts(members).into_iter().map(member).collect::<Result<_>>().map(Value::Struct)
            }
            _ => Err(self.not_one()),
        }
    }

    /// The bytes of the part, as they were at one moment.
    pub(super) fn read_as_one(&self, entry: u32) -> Result<Vec<u8>> {
        let range = self.bytes();
        match self.guards.as_slice() {
            [] | [Guard::Words] => self.map().read(entry, range),
            [Guard::Seq { head, .. }] => {
                let copy = self.map().copier(entry, range)?;
                self.map().read_seq(entry, *head, copy)
            }
            [Guard::Switch { head, value }] => {
                let stride = self.btf().size(value.of).unwrap_or(0);
                let slots = [range.clone(), range.start + stride..range.end + stride];
                let [even, odd] = slots.map(|range| self.map().copier(entry, range));
                let (even, odd) = (even?, odd?);
                self.map().read_switch(entry, *head, |slot| if slot == 0 { even() } else { odd() })
            }
            _ => Err(self.not_one()),
        }
    }

    /// What the kernel copies of each CPU.
    fn read_copies(&self, entry: u32, cpu: Cpu) -> Result<Value> {
        self.check_plain()?;
        let decode = |copy: Vec<u8>| decode(self.btf(), self.part, &copy);
        match cpu {
            Cpu::One(cpu) => self.copy_of(entry, cpu).map(decode),
            Cpu::NotChosen | Cpu::All => {
                Ok(Value::sum(self.copies(entry)?.into_iter().map(|(_, copy)| decode(copy)).collect()))
            }
        }
    }

    /// The bytes that a CPU has of the part.
    pub(super) fn copy_of(&self, entry: u32, cpu: u32) -> Result<Vec<u8>> {
        let found = self.copies(entry)?.into_iter().find(|(number, _)| *number == cpu);
        let rule = || self.argument("path", format!("{:?}", self.path()), format!("there is no CPU {cpu}"), None);
        found.map(|(_, copy)| copy).ok_or_else(rule)
    }

    /// The bytes that each CPU has of the part, with its number.
    fn copies(&self, entry: u32) -> Result<Vec<(u32, Vec<u8>)>> {
        let bytes = self.map().as_map().lookup_per_cpu(entry)?;
        let range = self.bytes();
        let range = range.start as usize..range.end as usize;
        // The kernel copies possible CPUs only, and in rising order.
        let copies = possible()?.iter().zip(bytes.chunks_exact(self.map().info().stride() as usize));
        Ok(copies.map(|(cpu, copy)| (*cpu, copy[range.clone()].to_vec())).collect())
    }

    pub(super) fn check_plain(&self) -> Result<()> {
        if self.btf().holds_wrapper(self.part.of) { Err(self.not_one()) } else { Ok(()) }
    }

    /// What may be written, with the one guard that it has.
    pub(super) fn writable(&self) -> Result<Var> {
        let var = self.unwrapped();
        match var.guards.as_slice() {
            [] | [Guard::Seq { .. } | Guard::Switch { .. }] if !var.btf().holds_wrapper(var.part.of) => Ok(var),
            _ => Err(self.not_one()),
        }
    }

    pub(super) fn guard(&self) -> Option<Guard> {
        self.guards.first().copied()
    }

    /// All of what its guard is around.
    pub(super) fn guarded(&self) -> Var {
        let mut var = self.clone();
        if let Some(Guard::Seq { value, .. } | Guard::Switch { value, .. }) = self.guard() {
            var.part = value;
        }
        var
    }

    /// The error for what is no single value.
    pub(super) fn not_one(&self) -> Error {
        let (rule, advice) = match self.unwrapped().guards.first() {
            Some(Guard::Slots { .. }) => ("every CPU has a value of its own".to_owned(), Some(Advice::ChooseCpu)),
            Some(Guard::Copies(_)) => ("it is a copy for each CPU, which is only read".to_owned(), None),
            Some(Guard::Words) => {
                ("it counts who writes the value beside it, and is only read".to_owned(), Some(Advice::ChangeTogether))
            }
            _ => ("it holds values that change together".to_owned(), Some(Advice::ChooseMember)),
        };
        self.argument("path", format!("{:?}", self.path()), rule, advice)
    }

    /// That a pointer to it may be handed out: what is inside of a sequence lock may be read one by one, and nothing inside of
    /// anything else has one place.
    pub(super) fn check_pointer<A: Access>(&self) -> Result<()> {
        match self.guards.as_slice() {
            [] => Ok(()),
            [Guard::Seq { .. } | Guard::Words] if !A::WRITABLE => Ok(()),
            [Guard::Words | Guard::Copies(_), ..] => Err(self.not_one()),
            _ => {
                let rule =
                    format!("it is inside of {}, and changes with the rest of that", self.together().join(" and "));
                Err(self.argument("path", format!("{:?}", self.path()), rule, Some(Advice::ChangeTogether)))
            }
        }
    }

    /// Changes the value that a guard is around, as one: `compute` makes of its bytes what is to be put where. Gives the bytes
    /// that were there before. `whole` says that nothing of them is kept.
    pub(super) fn change_as_one(
        &self,
        entry: u32,
        guard: Guard,
        runs: &Runs,
        whole: bool,
        compute: impl FnOnce(&[u8]) -> Result<Vec<Put>, Stop>,
    ) -> Result<Vec<u8>, Stop> {
        let map = self.map();
        let typed = map.mapped_for_writing()?;
        match guard {
            Guard::Seq { head, .. } => {
                let value = self.guarded();
                let head = map.share::<bpfvar_seq, ReadWrite>(entry, head)?;
                let lock = head.view().lock(if whole { Start::Afresh } else { Start::Old })?;
                if !whole {
                    // Says what is the matter if there is no old value to start from.
                    value.read_as_one(entry)?;
                }
                // Inside, nobody else writes: nothing that a program adds is lost.
                lock.write(|| {
                    let old = map.read(entry, value.bytes())?;
                    for put in &compute(&old)? {
                        typed.put(put);
                    }
                    Ok(old)
                })
            }
            Guard::Switch { head, value } => {
                let size = self.btf().size(value.of).unwrap_or(0);
                let slot = |slot: usize| {
                    let start = value.offset + slot as u64 * size;
                    start..start + size
                };
                let head = map.share::<bpfvar_switch, ReadWrite>(entry, head)?;
                let mut old = vec![0; size as usize];
                switch::<Stop>(head.view(), (runs, self.sleepable), None, Then::Wait, |from, to| {
                    typed.read(entry, slot(from), &mut old);
                    let mut new = old.clone();
                    super::change::put_over(&mut new, value.offset, &compute(&old)?);
                    let to = slot(to);
                    for (unit, piece) in pieces(map.units(), to.start, size) {
                        let mut put = Put { entry, unit, mask: [0; 8], bits: [0; 8] };
                        for byte in piece {
                            let at = (byte - unit.at) as usize;
                            put.mask[at] = 0xff;
                            put.bits[at] = new[(byte - to.start) as usize];
                        }
                        typed.put(&put);
                    }
                    Ok(())
                })?;
                Ok(old)
            }
            Guard::Slots { .. } | Guard::Copies(_) | Guard::Words => Err(self.not_one().into()),
        }
    }
}

impl TypedMap {
    /// Copies by `copy` what a sequence lock guards.
    fn read_seq<T>(&self, entry: u32, head: u64, copy: impl Fn() -> Result<T>) -> Result<T> {
        if self.is_mapped_for_reading()? {
            let head = self.share::<bpfvar_seq, ReadOnly>(entry, head)?;
            return head.view().sequence().read(TRIES, copy).map_err(Torn::from)?;
        }
        let mut last = Torn::new(0, 0);
        for _ in 0..TRIES {
            let ended = self.word(entry, head + 8)?;
            // The kernel's loads, in three calls: no call says that it orders memory.
            fence(Acquire);
            let value = copy()?;
            fence(Acquire);
            let begun = self.word(entry, head)?;
            if begun == ended {
                return Ok(value);
            }
            last = Torn::new(begun, ended);
        }
        Err(last.into())
    }

    /// Copies by `copy` the current slot of a switch.
    fn read_switch<T>(&self, entry: u32, head: u64, copy: impl Fn(u64) -> Result<T>) -> Result<T> {
        if self.is_mapped_for_reading()? {
            let head = self.share::<bpfvar_switch, ReadOnly>(entry, head)?;
            let read = head.view().versions().read(TRIES, |slot| copy(slot as u64));
            return read.map_err(|version| Torn::new(version, version))?.1;
        }
        let mut version = self.word(entry, head)?;
        for _ in 0..TRIES {
            fence(Acquire);
            let value = copy(version & 1)?;
            fence(Acquire);
            let now = self.word(entry, head)?;
            if now == version {
                return Ok(value);
            }
            version = now;
        }
        Err(Torn::new(version, version).into())
    }

    /// A word by system call.
    fn word(&self, entry: u32, at: u64) -> Result<u64> {
        let bytes = self.read(entry, at..at + 8)?;
        Ok(u64::from_ne_bytes(std::array::from_fn(|index| bytes[index])))
    }
}
