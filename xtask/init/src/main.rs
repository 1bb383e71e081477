//! The first process of a machine that `cargo xtask vm` boots. It mounts what the tests need, runs the test programs that it is given
//! as arguments one after the other, says on a serial port of their own how each ended, and switches the machine off.
//!
//! The kernel hands over what stands on its command line: `NAME=VALUE` as environment, what follows `--` as arguments. If this
//! process fails, the kernel panics, and the emulator ends without the last line that xtask waits for.

use std::env;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Instant;

use rustix::mount::{MountFlags, mount};
use rustix::system::{RebootCommand, reboot};
use rustix::termios::tcdrain;

/// What xtask recognises the lines of this process by.
const MARK: &str = "bpfvar-vm:";
/// Device, directory and type of what the tests need.
const MOUNTS: [(&str, &str, &str); 5] = [
    ("devtmpfs", "/dev", "devtmpfs"),
    ("proc", "/proc", "proc"),
    ("sysfs", "/sys", "sysfs"),
    ("tracefs", "/sys/kernel/tracing", "tracefs"),
    ("tmpfs", "/tmp", "tmpfs"),
];

fn main() -> Result<(), Box<dyn Error>> {
    for (device, directory, kind) in MOUNTS {
        fs::create_dir_all(directory)?;
        mount(device, directory, kind, MountFlags::empty(), None).map_err(|error| format!("{directory}: {error}"))?;
    }
    // Not the kernel's: its messages would stand in the middle of a line.
    let port = format!("/dev/{}", env::var("BPFVAR_VM_PORT")?);
    let mut port = OpenOptions::new().write(true).open(&port).map_err(|error| format!("{port}: {error}"))?;
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    writeln!(port, "{MARK} kernel {}", release.trim())?;
    // Where loaders of programs look for the configuration.
    symlink("config", format!("/boot/config-{}", release.trim()))?;
    for test in env::args().skip(1) {
        let start = Instant::now();
        let status = run(&test, &port)?;
        writeln!(port, "{MARK} {test} {} after {:.0} s", status.unwrap_or(-1), start.elapsed().as_secs_f64())?;
    }
    writeln!(port, "{MARK} end")?;
    tcdrain(&port)?;
    reboot(RebootCommand::PowerOff)?;
    Err("the machine is still on".into())
}

/// Gives the exit status; `None` if a signal ended the test program.
fn run(test: &str, port: &File) -> Result<Option<i32>, Box<dyn Error>> {
    let mut command = Command::new(format!("/tests/{test}"));
    command.args(env::var("BPFVAR_VM_FILTER")).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdout(port.try_clone()?).stderr(port.try_clone()?);
    let status = command.status().map_err(|error| format!("{test}: {error}"))?;
    Ok(status.code())
}
