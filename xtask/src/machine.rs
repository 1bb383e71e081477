//! What it was measured on, and with what.

use std::fs;
use std::process::Command;

/// Names and values, for a table.
pub(crate) fn describe(lock: &str) -> Vec<(String, String)> {
    let mut lines = vec![
        ("date", output("date", &["-u", "+%F"])),
        ("CPU", cpu(&read("/proc/cpuinfo"))),
        ("caches", caches()),
        ("governor", governor()),
        ("memory", field(&read("/proc/meminfo"), "MemTotal")),
        ("kernel", read("/proc/sys/kernel/osrelease")),
        ("load before", read("/proc/loadavg")),
        ("Rust", output("rustc", &["--version"])),
    ];
    for name in ["aya", "libbpf-rs", "libbpf-sys"] {
        lines.push((name, version(lock, name).unwrap_or_else(|| "unknown".to_owned())));
    }
    let cilium = output("dpkg-query", &["-W", "-f", "${Version} of Debian", "golang-github-cilium-ebpf-dev"]);
    lines.push(("cilium/ebpf", format!("{cilium}; {}", output("go", &["version"]))));
    lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        _ => "not installed".to_owned(),
    }
}

/// The value of the first line with this name.
fn field(text: &str, name: &str) -> String {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn cpu(cpuinfo: &str) -> String {
    let number = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let hypervisor = field(cpuinfo, "flags").split(' ').any(|flag| flag == "hypervisor");
    let machine = if hypervisor { ", a virtual machine" } else { "" };
    format!("{number} x {}{machine}", field(cpuinfo, "model name"))
}

fn caches() -> String {
    let of = |index: usize| {
        let file = |name: &str| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}");
            fs::read_to_string(path).map(|text| text.trim().to_owned())
        };
        let kind = match file("type").ok()?.as_str() {
            "Data" => "d",
            "Instruction" => "i",
            _ => "",
        };
        Some(format!("L{}{kind} {}", file("level").ok()?, file("size").ok()?))
    };
    let caches: Vec<String> = (0..8).map_while(of).collect();
    if caches.is_empty() { "unknown".to_owned() } else { caches.join(", ") }
}

fn governor() -> String {
    match read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") {
        unknown if unknown == "unknown" => "unknown: the machine shows no cpufreq".to_owned(),
        governor => governor,
    }
}

/// The version of a package in Cargo.lock.
fn version(lock: &str, name: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
    Some(lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{cpu, version};

    #[test]
    fn cpus_are_counted_and_named() {
        let text = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu hypervisor\n\nprocessor\t: 1\nmodel name\t: Some CPU\n";
        assert_eq!(cpu(text), "2 x Some CPU, a virtual machine");
        assert_eq!(cpu("processor : 0\n"), "1 x unknown");
    }

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        assert!(version(lock, "aya").is_some_and(|version| version.starts_with("0.")));
        assert_eq!(version(lock, "no-such-package"), None);
    }
}
