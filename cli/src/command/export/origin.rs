//! Where variables come from: which program, and when it was loaded.

use std::fs;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use bpfvar::{MapInfo, Program, ProgramInfo};

use crate::error::Result;
use crate::target::{Origin, Target};

/// So much of a program's name is what the kernel keeps, or more.
const CUT: usize = 15;

/// The programs that are loaded now.
pub(super) struct Origins {
    programs: Vec<ProgramInfo>,
    booted: Option<SystemTime>,
}

impl Origins {
    pub(super) fn look() -> Result<Origins> {
        Ok(Origins { programs: Program::all()?, booted: booted() })
    }

    fn users(&self, map: u32) -> impl Iterator<Item = &ProgramInfo> {
        self.programs.iter().filter(move |program| program.uses(map))
    }

    /// The name of the program whose map it is: that which the target names, else that of the process or object which the target
    /// names in place of a program, else the first that was loaded of those that use it.
    pub(super) fn program(&self, map: &MapInfo, target: &Target) -> Option<String> {
        let users = || self.users(map.id);
        let named = users().filter(|program| is_named(program, target)).max_by_key(|program| program.name.len());
        let is_by_name = matches!(target.origin, Origin::Name { programs: true, maps: true });
        if named.is_none() && is_by_name && !target.is_pattern() && !target.rest.starts_with(&map.name) {
            users().next()?;
            return Some(target.object().to_owned());
        }
        let program = named.or_else(|| users().next())?;
        let whole = || Program::from_id(program.id).and_then(|program| program.full_name()).ok();
        let name = if program.name.len() < CUT { None } else { whole() };
        Some(name.unwrap_or_else(|| program.name.clone()))
    }

    /// When the first program that uses a map was loaded.
    pub(super) fn loaded(&self, map: u32) -> Option<SystemTime> {
        let first = self.users(map).map(|program| program.load_time).min()?;
        // Where the clock was set back since: nothing was loaded in the future.
        Some(self.booted?.checked_add(Duration::from_nanos(first))?.min(SystemTime::now()))
    }
}

fn is_named(program: &ProgramInfo, target: &Target) -> bool {
    match &target.origin {
        Origin::Id { number, programs, .. } => *programs && program.id == *number,
        Origin::Name { programs, .. } => {
            let behind = target.rest.strip_prefix(program.name.as_str());
            let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']) || program.name.len() >= CUT;
            *programs && !program.name.is_empty() && behind.is_some_and(ends)
        }
        Origin::Pin(_) | Origin::Process(_) => false,
    }
}

/// When the machine was started, to a hundredth of a second. Looked up once, so that a program's load time stays what it was told.
fn booted() -> Option<SystemTime> {
    static BOOTED: OnceLock<Option<SystemTime>> = OnceLock::new();
    let look = || {
        let now = SystemTime::now();
        // Like the kernel's load times it counts on while the machine sleeps. Its hundredths are cut: with one more, what was
        // loaded just now was not loaded later than now.
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        now.checked_sub(Duration::try_from_secs_f64(seconds + 0.01).ok()?)
    };
    *BOOTED.get_or_init(look)
}
