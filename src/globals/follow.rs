//! A program that is loaded anew has new maps: noticing that, and binding again.

use std::fmt;

use super::{Bind, Globals};
use crate::error::{Cause, Error, ObjectKind, Result};
use crate::kernel::{Program, ProgramInfo};

/// Keeps a struct bound to the program of a name, also when the program is loaded anew.
///
/// A reloaded program has new maps. Handles to the old ones stay valid, but no program writes or reads that memory any more.
/// [`poll`](Follower::poll) looks whether that has happened and binds again, all or nothing; call it as often as you want to know,
/// for example once a second. Nothing is checked when a variable is accessed.
///
/// The program counts as replaced when it is no longer loaded and another one of its name is. While the old program is still
/// held (attached, pinned, or by a descriptor), it is followed, even if a newer one of that name is loaded as well.
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Bind, Follower, Reload, Shared};
/// use std::sync::atomic::Ordering::Relaxed;
/// use std::time::Duration;
///
/// #[derive(Bind)]
/// struct Count { packets: Shared<u64> }
///
/// let mut count = Follower::<Count>::by_name("count")?;
/// loop {
///     match count.poll()? {
///         Reload::Unchanged => {}
///         Reload::Gone => println!("not loaded at the moment"),
///         Reload::Replaced(old) => println!("loaded anew after {} packets", old.packets.load(Relaxed)),
///     }
///     println!("{}", count.get().packets.load(Relaxed));
///     std::thread::sleep(Duration::from_secs(1));
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
pub struct Follower<B> {
    name: String,
    program: ProgramInfo,
    bound: B,
}

/// What [`Follower::poll`] found.
#[derive(Debug)]
#[must_use]
pub enum Reload<B> {
    /// The program is the one that it was.
    Unchanged,
    /// The program is no longer loaded, and no other of its name is. The handles are the old ones.
    Gone,
    /// The program was loaded anew, and the handles are new. These are the old ones: their last values can still be read.
    Replaced(B),
}

impl<B: Bind> Follower<B> {
    /// Binds to the program of this name; see [`Globals::by_name`]. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Globals::by_name`] and [`Bind::bind`].
    pub fn by_name(name: &str) -> Result<Follower<B>> {
        let (program, bound) = bind(name)?;
        Ok(Follower { name: name.to_owned(), program, bound })
    }

    /// Returns what is bound now.
    pub fn get(&self) -> &B {
        &self.bound
    }

    /// Returns what the kernel says of the program that is bound now.
    pub fn program(&self) -> &ProgramInfo {
        &self.program
    }

    /// Looks whether the program was replaced, and if so, binds to its successor. While it is loaded this takes two system calls
    /// (opening it by its id and asking for its info) and one to close it; after that, a look at all programs.
    ///
    /// # Errors
    ///
    /// As [`Globals::by_name`] and [`Bind::bind`], if the successor cannot be bound. Then the old handles stay, and the next call
    /// tries again.
    pub fn poll(&mut self) -> Result<Reload<B>> {
        match Program::from_id(self.program.id) {
            // Ids are used again, after a long time.
            Ok(program) if program.info().load_time == self.program.load_time => return Ok(Reload::Unchanged),
            Ok(_) => {}
            Err(error) if error.cause() == Some(Cause::NoSuchId) => {}
            Err(error) => return Err(error),
        }
        match bind(&self.name) {
            Ok((program, bound)) => {
                self.program = program;
                Ok(Reload::Replaced(std::mem::replace(&mut self.bound, bound)))
            }
            Err(Error::NotFound { kind: ObjectKind::Program, .. }) => Ok(Reload::Gone),
            // The successor, too, went away while it was being opened.
            Err(error) if error.cause() == Some(Cause::NoSuchId) => Ok(Reload::Gone),
            Err(error) => Err(error),
        }
    }
}

fn bind<B: Bind>(name: &str) -> Result<(ProgramInfo, B)> {
    let globals = Globals::by_name(name)?;
    let program = globals.program().expect("they are a program's").clone();
    Ok((program, B::bind(&globals)?))
}

impl<B: fmt::Debug> fmt::Debug for Follower<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("program", &self.program).field("bound", &self.bound).finish_non_exhaustive()
    }
}
