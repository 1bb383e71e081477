//! What is known of a program beside its variables: type, where it is attached, since when it is loaded.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, SystemTime};

use bpfvar::{Attachment, Link, ProgramInfo};

use crate::output::clean;
use crate::table::program_name;

/// What is asked once for all programs.
pub(super) struct Facts {
    /// Where programs are attached, by their ids.
    attached: HashMap<u32, Vec<String>>,
    now: SystemTime,
    /// How long ago the kernel started; None if procfs does not tell.
    uptime: Option<Duration>,
}

impl Facts {
    pub(super) fn look() -> Facts {
        let mut attached: HashMap<u32, Vec<String>> = HashMap::new();
        // Kernels before 5.8 list no links, and a link may go away meanwhile: then it is not told where a program is attached.
        for link in Link::ids().filter_map(|id| Link::from_id(id.ok()?).ok()) {
            let place = place(&link.info().attachment);
            attached.entry(link.info().program_id).or_default().push(place);
        }
        Facts { attached, now: SystemTime::now(), uptime: uptime() }
    }

    /// `tracing`, as bpftool names types.
    pub(super) fn program_type(program: &ProgramInfo) -> String {
        program.program_type.name().map_or_else(|| program.program_type.to_string(), str::to_lowercase)
    }

    /// Where the program is attached by links, each once.
    pub(super) fn attached(&self, program: &ProgramInfo) -> Vec<String> {
        let mut places = self.attached.get(&program.id).cloned().unwrap_or_default();
        places.sort();
        places.dedup();
        places
    }

    /// When it was loaded: `2026-11-25T08:18:46Z`.
    pub(super) fn loaded(&self, program: &ProgramInfo) -> Option<String> {
        let loaded = self.now.checked_sub(self.age(program)?)?;
        Some(humantime::format_rfc3339_seconds(loaded).to_string())
    }

    fn age(&self, program: &ProgramInfo) -> Option<Duration> {
        Some(self.uptime?.saturating_sub(Duration::from_nanos(program.load_time)))
    }

    /// A line of a table.
    pub(super) fn cells(&self, program: &ProgramInfo) -> Vec<String> {
        let maps: Vec<String> = program.map_ids.iter().map(ToString::to_string).collect();
        let attached = self.attached(program);
        vec![
            format!("program {}", program_name(program)),
            Facts::program_type(program),
            if attached.is_empty() { "no link".to_owned() } else { attached.join(", ") },
            self.age(program).map_or_else(String::new, |age| format!("loaded {} ago", rough(age))),
            if maps.is_empty() { "no maps".to_owned() } else { format!("maps {}", maps.join(" ")) },
            if program.btf_id == 0 { "no BTF".to_owned() } else { format!("BTF {}", program.btf_id) },
        ]
    }
}

/// With the name of the interface in place of its number, where it is one that this process sees.
fn place(attachment: &Attachment) -> String {
    let text = attachment.to_string();
    let Attachment::Interface { index, .. } = attachment else { return clean(&text) };
    let interfaces = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let is_it = |path: std::path::PathBuf| {
        fs::read_to_string(path.join("ifindex")).is_ok_and(|found| found.trim() == index.to_string())
    };
    let name = interfaces.filter(|entry| is_it(entry.path())).map(|entry| entry.file_name()).next();
    clean(&match name {
        Some(name) => text.replace(&format!("interface {index}"), &name.to_string_lossy()),
        None => text,
    })
}

/// What CLOCK_BOOTTIME shows, by which the kernel tells when a program was loaded.
fn uptime() -> Option<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()
}

/// In its two largest units.
fn rough(age: Duration) -> String {
    let age = humantime::format_duration(Duration::from_secs(age.as_secs())).to_string();
    age.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_roughly() {
        assert_eq!(rough(Duration::from_millis(12_900)), "12s");
        assert_eq!(rough(Duration::from_secs(3 * 3600 + 4 * 60 + 5)), "3h 4m");
        assert_eq!(rough(Duration::ZERO), "0s");
        assert!(uptime().is_some_and(|uptime| uptime > Duration::ZERO));
    }
}
