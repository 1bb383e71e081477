//! A machine in QEMU.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::platform::Platform;
use crate::Result;

/// A test allocates a map of 4 GiB. The host gives only what is touched.
const MEMORY: &str = "10G";
/// A whole run takes about three minutes.
const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(crate) struct Machine<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) vmlinuz: &'a Path,
    pub(crate) initramfs: &'a Path,
    pub(crate) cpus: u32,
    /// Where its serial ports write.
    pub(crate) folder: &'a Path,
}

/// What a machine printed until it was off.
pub(crate) struct Output {
    /// The first process and the tests.
    pub(crate) text: String,
    /// The kernel.
    pub(crate) console: String,
    pub(crate) duration: Duration,
    /// Whether it had to be stopped.
    pub(crate) too_long: bool,
}

impl Machine<'_> {
    /// Boots it, lets it run the tests, and waits until it is off.
    pub(crate) fn run(&self, tests: &[&str], filter: Option<&str>) -> Result<Output> {
        let ports = ["console", "tests"].map(|name| self.folder.join(name));
        let emulator = &self.platform.emulator;
        let mut qemu = Command::new(emulator.name);
        qemu.args(self.platform.machine).args(["-accel", "tcg", "-smp", &self.cpus.to_string(), "-m", MEMORY]);
        qemu.args(["-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"]);
        for (name, port) in ["console", "tests"].iter().zip(&ports) {
            qemu.arg("-chardev").arg(format!("file,id={name},path={}", port.display()));
        }
        qemu.args(self.platform.ports);
        qemu.arg("-kernel").arg(self.vmlinuz).arg("-initrd").arg(self.initramfs);
        qemu.arg("-append").arg(self.command_line(tests, filter));
        let start = Instant::now();
        let mut child = qemu
            .spawn()
            .map_err(|error| format!("{}: {error}; run: apt-get install {}", emulator.name, emulator.package))?;
        let status = loop {
            match child.try_wait()? {
                None if start.elapsed() < LIMIT => thread::sleep(Duration::from_millis(100)),
                status => break status,
            }
        };
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        if let Some(status) = status.filter(|status| !status.success()) {
            return Err(format!("{}: {status}", emulator.name).into());
        }
        let [console, text] =
            ports.map(|port| fs::read(&port).map(|text| String::from_utf8_lossy(&text).replace('\r', "")));
        Ok(Output { text: text?, console: console?, duration: start.elapsed(), too_long: status.is_none() })
    }

    fn command_line(&self, tests: &[&str], filter: Option<&str>) -> String {
        // Variables go to the first process, and what follows `--` as its arguments. In CI no test may be skipped but for these reasons.
        let may_skip = if self.cpus == 1 { "kernel,cpus" } else { "kernel" };
        let filter = filter.map_or(String::new(), |filter| format!("BPFVAR_VM_FILTER={filter} "));
        let tests = tests.join(" ");
        let Platform { console, tests: port, .. } = self.platform;
        format!(
            "console={console} panic=-1 CI=true BPFVAR_MAY_SKIP={may_skip} BPFVAR_VM_PORT={port} {filter}-- {tests}"
        )
    }
}
