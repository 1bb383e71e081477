//! How it is noticed that a program was loaded, or something pinned.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::loaded::Loaded;
use crate::settings::Settings;
use crate::target::Origin;

/// A look at new ids does not see that programs went away, after which a name may mean one thing again.
const BETWEEN_FULL_LOOKS: Duration = Duration::from_secs(5);

/// What was there at the last look.
pub(super) struct Arrivals {
    /// None if all settings are of pins: programs are for CAP_SYS_ADMIN, pins for those who may open them.
    loaded: Option<(Loaded, Instant)>,
    /// What each path was: the numbers of its file system and of its file.
    pins: BTreeMap<PathBuf, Option<(u64, u64)>>,
}

impl Arrivals {
    pub(super) fn look(settings: &Settings) -> Result<Arrivals> {
        let (mut pins, mut is_by_name) = (BTreeMap::new(), false);
        for setting in settings.groups.iter().flat_map(|group| &group.settings) {
            match &setting.target.origin {
                Origin::Pin(path) => drop(pins.entry(path.clone()).or_insert_with_key(file)),
                _ => is_by_name = true,
            }
        }
        let loaded = if is_by_name { Some((Loaded::look()?, Instant::now())) } else { None };
        Ok(Arrivals { loaded, pins })
    }

    /// Whether anything came since the last look, or went.
    pub(super) fn changed(&mut self) -> Result<bool> {
        let mut changed = false;
        for (path, known) in &mut self.pins {
            let now = file(path);
            changed |= now != *known;
            *known = now;
        }
        if let Some((loaded, last)) = &mut self.loaded {
            if loaded.has_newer()? || last.elapsed() >= BETWEEN_FULL_LOOKS {
                *last = Instant::now();
                changed |= loaded.changed()?;
            }
        }
        Ok(changed)
    }
}

fn file(path: &PathBuf) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}
