//! The runs that may still see an old value, and how to wait for them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::run;
use crate::error::{Error, Object, Result};
use crate::kernel::{Grace, Map, Program, ProgramInfo, defers_work, sleepable_programs};

/// Who may read a switch.
#[derive(Debug)]
pub(crate) enum Runs {
    /// Programs that use this map.
    OfMap { id: u32, grace: Arc<Grace> },
    /// Threads of this process, which simulate them.
    InProcess,
}

/// What is known of programs that sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleepable {
    /// Nothing: those that may are looked for, and refused.
    Refused,
    /// None of them keeps the value while it sleeps, says the caller.
    Allowed,
}

impl Runs {
    /// Those of a map, or of the process. Two system calls, unless another one is in use.
    pub(crate) fn of(map: Option<&Map>) -> Result<Runs> {
        Ok(match map {
            Some(map) => Runs::OfMap { id: map.info().id, grace: grace()? },
            None => Runs::InProcess,
        })
    }

    /// That no program may sleep with the value in its hands. Asks for the info of every program of the system; only if one is
    /// of a type that can be sleepable, now or in a later kernel, whether it is.
    pub(crate) fn check(&self, sleepable: Sleepable) -> Result<()> {
        let (Runs::OfMap { id, .. }, Sleepable::Refused) = (self, sleepable) else { return Ok(()) };
        let refused = |programs| Error::MaySleep { object: Box::new(Object::Value), programs };
        let all = match Program::all() {
            Ok(all) => all,
            Err(error) if error.raw_os_error() == Some(libc::EPERM) => return Err(refused(Vec::new())),
            Err(error) => return Err(error),
        };
        let users: Vec<_> = all.iter().filter(|info| info.uses(*id)).collect();
        let need_flags = users.iter().any(|info| !info.never_sleeps());
        let flagged = if need_flags { sleepable_programs() } else { None };
        let may_sleep = |info: &&&ProgramInfo| {
            let is_flagged = flagged.as_ref().map_or(info.may_sleep(), |flagged| flagged.contains(&info.id));
            is_flagged || info.is_extension() || defers_work(info)
        };
        let may_sleep: Vec<_> = users.iter().filter(may_sleep).map(|info| info.object()).collect();
        if may_sleep.is_empty() { Ok(()) } else { Err(refused(may_sleep)) }
    }

    /// Waits until every run that began before this call has ended.
    pub(crate) fn wait(&self) -> Result<()> {
        match self {
            Runs::OfMap { grace, .. } => grace.wait(),
            Runs::InProcess => {
                run::wait_for_all();
                Ok(())
            }
        }
    }
}

/// One for all switches of the process, for as long as there are any.
fn grace() -> Result<Arc<Grace>> {
    static SHARED: Mutex<Weak<Grace>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(grace) = shared.upgrade() {
        return Ok(grace);
    }
    let grace = Arc::new(Grace::new()?);
    *shared = Arc::downgrade(&grace);
    Ok(grace)
}
