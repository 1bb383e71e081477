//! What a small program costs that opens a map and reads one counter, by each library: `peers/footprint`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::Result;

/// The library, and the feature of `peers` that builds it. The first is a program that does nothing.
const PROGRAMS: [(&str, &str); 4] = [("nothing", ""), ("bpfvar", "bpfvar"), ("aya", "aya"), ("libbpf-rs", "libbpf-rs")];

#[derive(Deserialize, Serialize)]
pub(crate) struct Footprint {
    pub(crate) library: String,
    /// Packages that are built, those of build scripts and macros included.
    pub(crate) packages: usize,
    /// Of a clean release build.
    pub(crate) seconds: f64,
    /// The same on all CPUs.
    pub(crate) cpu_seconds: f64,
    /// Of the binary without symbols.
    pub(crate) bytes: u64,
}

/// Builds and measures all of them.
pub(crate) fn measure(target: &Path) -> Result<Vec<Footprint>> {
    PROGRAMS.iter().map(|&(library, features)| one(target, library, features)).collect()
}

fn one(target: &Path, library: &str, features: &str) -> Result<Footprint> {
    let target = target.join("footprint").join(library);
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let name = format!("footprint-{library}");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new("cargo");
        cargo.args(["--config", "profile.release.strip=true"]).args(arguments);
        cargo.args(["--locked", "-p", "bpfvar-peers", "--features", features]);
        cargo
    };
    let (before, start) = (children_on_cpu()?, Instant::now());
    let built = cargo(&["build", "--release", "--quiet", "--bin", &name]).arg("--target-dir").arg(&target).status()?;
    if !built.success() {
        return Err(format!("{name} does not build: {built}").into());
    }
    let (seconds, cpu_seconds) = (start.elapsed().as_secs_f64(), children_on_cpu()? - before);
    let tree = cargo(&["tree", "--edges", "normal,build", "--prefix", "none"]).output()?;
    if !tree.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&tree.stderr)).into());
    }
    let packages = packages(&String::from_utf8_lossy(&tree.stdout));
    let bytes = fs::metadata(target.join("release").join(&name))?.len();
    Ok(Footprint { library: library.to_owned(), packages, seconds, cpu_seconds, bytes })
}

/// How many packages a tree has beside its root.
fn packages(tree: &str) -> usize {
    let mut lines: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.retain(|line| !line.is_empty() && !line.starts_with("bpfvar-peers "));
    lines.sort_unstable();
    lines.dedup();
    lines.len()
}

/// The seconds that children of this process were on a CPU, as far as they have ended.
fn children_on_cpu() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    seconds_of_children(&stat).ok_or_else(|| format!("/proc/self/stat is {stat:?}").into())
}

/// Behind the name, which may hold anything: state is field 3, cutime and cstime are 16 and 17, in hundredths of a second.
fn seconds_of_children(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: &str| field.parse::<u64>().ok();
    Some((ticks(fields.get(13)?)? + ticks(fields.get(14)?)?) as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{packages, seconds_of_children};

    #[test]
    fn packages_are_counted_once() {
        let tree = "bpfvar-peers v0.1.0 (/somewhere)\nlibc v0.2.1\nmemmap2 v0.9.1\nlibc v0.2.1\n\nmemmap2 v0.9.1 (*)\n";
        assert_eq!(packages(tree), 2);
        assert_eq!(packages("bpfvar-peers v0.1.0 (/somewhere)\n"), 0);
    }

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b) S 1 7 7 0 -1 0 1 2 3 4 5 6 250 50 20 0 1 0 9 9 9";
        assert_eq!(seconds_of_children(stat), Some(3.0));
        assert_eq!(seconds_of_children("7 (a) S 1"), None);
    }
}
