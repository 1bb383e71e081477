//! A value under a sequence lock: it is read as it was at one moment.
#![allow(unsafe_code)]

use std::fmt;
use std::sync::atomic::Ordering::{self, Relaxed};
use std::time::Duration;

use super::layout::Layout;
use super::protocol::{Counts, Load, Sequence, Word};
use super::writer::Lock;
use super::{Field, MapValue};
use crate::error::{Error, Holder, Object, Result, Torn};
use crate::memory::{Access, ReadWrite};

/// How often a value is copied until that is undisturbed. With the pauses in between it is some milliseconds.
pub(crate) const TRIES: u32 = 2000;

/// A value in shared memory that is read as it was at one moment, under a sequence lock: `BPFVAR_SEQ(type)` of `bpfvar.bpf.h`,
/// which a BPF program writes with `bpfvar_seq_begin` and `bpfvar_seq_end`.
///
/// As a [`MapValue`] it is a value of a map, a field of a struct, a variable. Its view is a [`SeqView`], whose
/// [`read`](SeqView::read) gives the copy. A `Seq<T>` itself is what whole copies are made of
/// ([`Array::snapshot`](crate::Array::snapshot), [`Array::read`](crate::Array::read)): each is consistent in itself, or
/// [`get`](Seq::get) says that it is not.
///
/// # Layout
///
/// Three words of 8 bytes, and then the `T`, aligned: `struct { struct bpfvar_seq { __u64 begin, end, writer; } bpfvar_seq; T
/// value; }`. A writer adds 1 to `begin` when it comes and to `end` when it leaves. `writer` is the thread of user space that
/// writes.
///
/// # Examples
///
/// ```
/// use bpfvar::{Array, MapValue, Seq};
///
/// #[derive(MapValue, Clone, Copy, Debug, Default, PartialEq)]
/// #[repr(C)]
/// struct Stats { packets: u64, bytes: u64 }
///
/// let stats = Array::<Seq<Stats>>::in_process(4); // one for each CPU
/// stats.at(2).update(|stats| { stats.packets += 1; stats.bytes += 100 })?; // as a program does
/// assert_eq!(stats.at(2).read()?, Stats { packets: 1, bytes: 100 }); // never 1 and 0
/// let bytes: u64 = stats.snapshot().into_iter().map(|stats| stats.get().map_or(0, |stats| stats.bytes)).sum();
/// assert_eq!(bytes, 100);
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Seq<T> {
    bpfvar_seq: bpfvar_seq,
    value: T,
}

/// What is before the value. Its name is that of the C struct, as it goes into BTF.
#[derive(bpfvar_derive::MapValue, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[map_value(view = "SeqHead")]
#[repr(C)]
pub(crate) struct bpfvar_seq {
    begin: u64,
    end: u64,
    writer: u64,
}

/// Where its fields are. Nothing is accessed.
impl<T> Seq<T> {
    /// # Safety
    ///
    /// `seq` is the address of one.
    unsafe fn head_of(seq: *mut Self) -> *mut bpfvar_seq {
        // SAFETY: inside of it, says the caller.
        unsafe { &raw mut (*seq).bpfvar_seq }
    }

    /// # Safety
    ///
    /// `seq` is the address of one.
    unsafe fn value_of(seq: *mut Self) -> *mut T {
        // SAFETY: as above.
        unsafe { &raw mut (*seq).value }
    }
}

impl<T> Seq<T> {
    /// Makes one, for [`Array::write`](crate::Array::write) and [`Array::fill`](crate::Array::fill), which write the value and let
    /// the counts go on. They are for values that nobody else writes at the time: they take no lock and refuse no program. See
    /// [`SeqView::write`].
    pub fn new(value: T) -> Seq<T> {
        Seq { bpfvar_seq: bpfvar_seq::default(), value }
    }

    /// Returns the value, if it was copied as it was at one moment.
    ///
    /// # Errors
    ///
    /// [`Torn`] if it was not.
    #[inline]
    pub fn get(self) -> Result<T, Torn> {
        let bpfvar_seq { begin, end, .. } = self.bpfvar_seq;
        if begin == end { Ok(self.value) } else { Err(Torn::new(begin, end)) }
    }

    /// Returns the value, whether it is consistent or not.
    #[inline]
    pub fn into_relaxed(self) -> T {
        self.value
    }

    /// Returns how many writers had left when it was copied.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.bpfvar_seq.end
    }
}

/// A pointer to a [`Seq`]: its view. One word; copied freely.
///
/// | | | system calls |
/// |---|---|---|
/// | [`read`](SeqView::read) | a copy as it was at one moment, or [`Torn`] after a bounded number of tries | 0 |
/// | [`read_relaxed`](SeqView::read_relaxed), [`relaxed`](SeqView::relaxed) | each scalar whole, no more | 0 |
/// | [`write`](SeqView::write), [`update`](SeqView::update) | all readers see the old value or the new one | 1 (`gettid`), if nobody else writes |
///
/// # Memory ordering
///
/// What a writer stored before it came is visible after a read that saw its value: `end` is loaded with acquire, and added to with
/// release. Nothing is ordered by a read that fails.
pub struct SeqView<'m, T, A> {
    at: Field<'m, Seq<T>, A>,
}

impl<T, A> Clone for SeqView<'_, T, A> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, A> Copy for SeqView<'_, T, A> {}

impl<A: Access> Load for Field<'_, u64, A> {
    #[inline(always)]
    fn load(self, order: Ordering) -> u64 {
        Field::load(self, order)
    }

    #[inline(always)]
    fn fence(order: Ordering) {
        std::sync::atomic::fence(order);
    }

    #[inline]
    fn pause() {
        for _ in 0..16 {
            std::hint::spin_loop();
        }
    }
}

impl Word for Field<'_, u64, ReadWrite> {
    fn store(self, value: u64, order: Ordering) {
        Field::store(self, value, order);
    }

    fn fetch_add(self, amount: u64, order: Ordering) -> u64 {
        Field::fetch_add(self, amount, order)
    }

    fn compare_exchange(
        self,
        old: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> std::result::Result<u64, u64> {
        Field::compare_exchange(self, old, new, success, failure)
    }
}

impl From<Counts> for Torn {
    fn from(counts: Counts) -> Torn {
        Torn::new(counts.begun, counts.ended)
    }
}

impl<'m, A: Access> SeqHead<'m, A> {
    #[inline(always)]
    pub(crate) fn sequence(self) -> Sequence<Field<'m, u64, A>> {
        Sequence { begin: self.begin, end: self.end }
    }
}

impl<'m> SeqHead<'m, ReadWrite> {
    /// Keeps other writers of user space out.
    pub(crate) fn lock(self, start: Start) -> Result<SeqLock<'m>> {
        let lock = Lock::take(self.writer)?;
        let abandoned = match start {
            Start::Afresh => self.abandoned().ok_or_else(busy)?,
            // A thread that was killed may have left half a value. A program that was cut short is no thread: with it inside,
            // nobody gets in.
            Start::Old if lock.is_taken_over() && self.abandoned() != Some(0) => {
                lock.give_back_to_the_dead();
                let counts = Counts { begun: self.begin.load(Relaxed), ended: self.end.load(Relaxed) };
                return Err(Torn::from(counts).into());
            }
            Start::Old => 0,
        };
        Ok(SeqLock { head: self, abandoned, _lock: lock })
    }

    /// How many writers are inside that will never leave. 0, and no wait, where a look finds nobody. None if that cannot be told:
    /// so many writers come and go that somebody is inside at every look.
    ///
    /// Those that never leave are inside at every look, so there are never fewer. And whenever nobody else is there, no more: they
    /// must be alone in most of the rows of looks. A crowd of others is now larger and now smaller.
    fn abandoned(self) -> Option<u64> {
        let (mut least, mut rows_with_least) = (i64::MAX, 0);
        for _ in 0..ROWS {
            match self.sequence().least_inside(LOOKS_IN_A_ROW) {
                Some(0) => return Some(0),
                Some(inside) if inside < least => (least, rows_with_least) = (inside, 1),
                Some(inside) => rows_with_least += u32::from(inside == least),
                None => {}
            }
            std::thread::sleep(REST);
        }
        if least < 0 {
            self.sequence().mend(least.unsigned_abs());
            return Some(0);
        }
        (rows_with_least * 5 >= ROWS * 4).then_some(least.unsigned_abs())
    }

    /// Looks, for as long as it takes to find those that will never leave, whether more left than came, and makes that good: one of
    /// those who were taken for dead went on.
    fn look_for_the_living(self) {
        for _ in 0..ROWS {
            match self.sequence().least_inside(1) {
                Some(inside) if inside < 0 => self.sequence().mend(inside.unsigned_abs()),
                _ => std::thread::sleep(REST),
            }
        }
    }
}

/// Who is inside in all of so many rows of looks, with a rest after each, is taken for dead: half a second. In the rests a program
/// that was preempted runs on.
const ROWS: u32 = 100;
const LOOKS_IN_A_ROW: u32 = 64;
const REST: Duration = Duration::from_millis(5);

/// The right to write a [`Seq`] from user space.
pub(crate) struct SeqLock<'m> {
    head: SeqHead<'m, ReadWrite>,
    /// So many writers are inside and will never leave.
    abandoned: u64,
    _lock: Lock<'m>,
}

impl SeqLock<'_> {
    /// Lets `write` write when no program is inside. What it fails with must leave the value as it was. If it panics, the value may
    /// be half written: then this writer never leaves, so that nobody takes it for a value.
    pub(crate) fn write<R, E: From<Error>>(&self, write: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        self.enter()?;
        let written = write();
        self.leave();
        written
    }

    /// The same, if no writer came after the first `known`. None if one did.
    fn write_after<R>(&self, known: u64, write: impl FnOnce() -> R) -> Result<Option<R>> {
        let written = (self.enter()? == known).then(write);
        self.leave();
        Ok(written)
    }

    /// Enters when nobody else is inside; programs come and go. Gives how many came before.
    fn enter(&self) -> Result<u64, Error> {
        let sequence = self.head.sequence();
        for _ in 0..TRIES {
            // A look disturbs no program; entering refuses those that come.
            if sequence.inside() == i64::try_from(self.abandoned).ok() {
                if let Ok(before) = sequence.enter(self.abandoned) {
                    return Ok(before);
                }
            }
            Field::<u64, ReadWrite>::pause();
        }
        Err(busy())
    }

    fn leave(&self) {
        self.head.sequence().leave(self.abandoned);
        if self.abandoned != 0 {
            self.head.look_for_the_living();
        }
    }
}

fn busy() -> Error {
    Error::Busy { object: Box::new(Object::Value), holder: Holder::Program }
}

/// What a new value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// The old one, which therefore must be whole.
    Old,
    /// Nothing: it makes good whatever others left.
    Afresh,
}

impl<'m, T: MapValue, A: Access> SeqView<'m, T, A> {
    /// What is before the value.
    #[inline(always)]
    fn head(self) -> SeqHead<'m, A> {
        // SAFETY: a field of a `Seq`, by syntax and so aligned, and accessed as what it is only.
        let head = unsafe { self.at.project(Seq::head_of) };
        head.view()
    }

    #[inline(always)]
    fn value(self) -> Field<'m, T, A> {
        // SAFETY: as in `head`.
        unsafe { self.at.project(Seq::value_of) }
    }

    /// Returns a copy of the value as it was at one moment. No system call, no allocation; where no writer disturbs, two loads and
    /// a comparison more than [`read_relaxed`](SeqView::read_relaxed).
    ///
    /// It tries up to 2,000 times, with pauses: a few milliseconds. Whoever reads on the CPU on which a writer was interrupted
    /// would try in vain for longer.
    ///
    /// # Errors
    ///
    /// [`Torn`], with the last numbers. If it stays so, a writer was cut short: [`SeqView::write`] ends that.
    #[inline]
    pub fn read(self) -> Result<T, Torn> {
        Ok(self.head().sequence().read(TRIES, || self.value().read())?)
    }

    /// The same, with how many writers had left.
    fn read_counted(self) -> Result<(u64, T), Torn> {
        Ok(self.head().sequence().read(TRIES, || (self.head().end.load(Relaxed), self.value().read()))?)
    }

    /// Returns a copy of the value, each scalar by one relaxed load. It may be caught in the middle of an update.
    #[inline]
    pub fn read_relaxed(self) -> T {
        self.value().read()
    }

    /// Returns the view of the value itself, for single scalars, which are whole always.
    #[inline(always)]
    pub fn relaxed(self) -> T::View<'m, A> {
        T::view(self.value())
    }

    /// Returns the pointer to all of it.
    #[inline(always)]
    pub fn field(self) -> Field<'m, Seq<T>, A> {
        self.at
    }
}

impl<T: MapValue> SeqView<'_, T, ReadWrite> {
    /// Writes the value so that every reader sees the old one or this one. Several threads and processes can write: one at a
    /// time, by a lock beside the value. A thread that waits sleeps in between, for up to 5 seconds.
    ///
    /// It also makes good what a writer left that was killed or cut short: that takes a second. A writer that is inside at each of
    /// thousands of looks in half a second is taken for one that will never leave. A program that is not sleepable stays a
    /// microsecond; but if the machine stops a CPU for that long in the middle of one (a virtual machine that gets no time), and
    /// it goes on afterwards, readers may see some of its value and some of this one, until user space writes again.
    ///
    /// Programs read it by `bpfvar_seq_read`. A value that programs write should not be written by user space, too, except to
    /// make it good: programs are refused meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another thread keeps the lock, or if programs were inside whenever it was looked. Nothing was written.
    pub fn write(self, value: T) -> Result<()> {
        self.head().lock(Start::Afresh)?.write(|| {
            self.value().write_from(&value);
            Ok(())
        })
    }

    /// Changes the value so that every reader sees the old one or the new one, and no change by another writer is lost, a
    /// program's or a thread's. `change` gets a copy. It is called again if a program wrote meanwhile. If it panics, nothing is
    /// changed.
    ///
    /// # Errors
    ///
    /// As [`SeqView::write`]; and [`Error::Torn`] if there was no old value to start from: writers were at work in every try to read
    /// it, or one was killed or cut short in the middle, which [`SeqView::write`] makes good.
    pub fn update(self, mut change: impl FnMut(&mut T)) -> Result<()> {
        let lock = self.head().lock(Start::Old)?;
        for _ in 0..TRIES {
            let (came, mut value) = self.read_counted()?;
            change(&mut value);
            if lock.write_after(came, || self.value().write_from(&value))?.is_some() {
                return Ok(());
            }
        }
        Err(busy())
    }
}

/// Prints the value that is there now, each scalar whole and no more.
impl<T: MapValue, A: Access> fmt::Debug for SeqView<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A T need not be Debug; its view is.
        self.relaxed().fmt(f)
    }
}

impl<T: MapValue> MapValue for Seq<T> {
    type View<'m, A: Access> = SeqView<'m, T, A>;

    #[inline(always)]
    fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
        SeqView { at: field }
    }

    /// As [`SeqView::read`]; after the last try, whatever is there.
    #[inline]
    fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
        let view = SeqView { at: field };
        let writer = view.head().writer.load(Relaxed);
        match view.read_counted() {
            Ok((end, value)) => Seq { bpfvar_seq: bpfvar_seq { begin: end, end, writer }, value },
            Err(Torn { begun, ended, .. }) => {
                // Never equal, as that would pass for consistent.
                let begin = if begun == ended { begun.wrapping_add(1) } else { begun };
                Seq { bpfvar_seq: bpfvar_seq { begin, end: ended, writer }, value: view.read_relaxed() }
            }
        }
    }

    /// As a writer who is alone, whatever those before left. The counts go on.
    fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
        let view = SeqView { at: field };
        let sequence = view.head().sequence();
        let abandoned = view.head().abandoned().unwrap_or(0);
        sequence.enter_anyway();
        view.value().write_from(&value.value);
        sequence.leave(abandoned);
    }

    fn layout() -> Layout {
        // SAFETY: both fields follow.
        let layout = unsafe { Layout::structure::<Self>("Seq") };
        // SAFETY: as in `SeqView::head`; views access these fields only.
        let layout = unsafe { layout.with::<Self, bpfvar_seq>("bpfvar_seq", Seq::head_of) };
        // SAFETY: as above.
        unsafe { layout.with::<Self, T>("value", Seq::value_of) }
    }
}
