//! A machine in QEMU.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

const QEMU: &str = "qemu-system-x86_64";
/// A test allocates a map of 4 GiB. The host gives only what is touched.
const MEMORY: &str = "10G";
/// A whole run takes about three minutes.
const LIMIT: Duration = Duration::from_secs(20 * 60);

pub(crate) struct Machine<'a> {
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
        let mut qemu = Command::new(QEMU);
        // Without 16-byte compare-and-swap: its emulation corrupts the kernel's allocator (seen with QEMU 7.2 and Linux 6.12).
        qemu.args(["-accel", "tcg", "-cpu", "max,-cx16", "-smp", &self.cpus.to_string(), "-m", MEMORY]);
        qemu.args(["-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"]);
        for port in &ports {
            qemu.arg("-serial").arg(format!("file:{}", port.display()));
        }
        qemu.arg("-kernel").arg(self.vmlinuz).arg("-initrd").arg(self.initramfs);
        qemu.arg("-append").arg(self.command_line(tests, filter));
        let start = Instant::now();
        let mut child =
            qemu.spawn().map_err(|error| format!("{QEMU}: {error}; run: apt-get install qemu-system-x86"))?;
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
            return Err(format!("{QEMU}: {status}").into());
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
        format!("console=ttyS0 panic=-1 CI=true BPFVAR_MAY_SKIP={may_skip} {filter}-- {tests}")
    }
}
