//! Kinds of machines: what is to be known of a processor to build for it and to boot it.

use super::kernels::Package;

pub(crate) struct Platform {
    /// As rustc calls it.
    pub(crate) target: &'static str,
    pub(crate) emulator: Program,
    /// What the emulator imitates.
    pub(crate) machine: &'static [&'static str],
    /// What makes two serial ports of the emulator's character devices `console` and `tests`.
    pub(crate) ports: &'static [&'static str],
    /// What Linux calls them.
    pub(crate) console: &'static str,
    pub(crate) tests: &'static str,
    /// What it takes to build on another processor, and to have what the host cannot lend.
    pub(crate) foreign: Option<Foreign>,
}

/// A program of the host and the package of Debian that has it.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

pub(crate) struct Foreign {
    pub(crate) linker: Program,
    /// The standard library for the compiler of `toolchain.rs`.
    pub(crate) std: Package,
    /// bpftool and the libraries that it is linked with.
    pub(crate) bpftool: &'static [Package],
}

/// The host's own kind.
pub(crate) const X86_64: Platform = Platform {
    target: "x86_64-unknown-linux-gnu",
    emulator: Program { name: "qemu-system-x86_64", package: "qemu-system-x86" },
    // Without 16-byte compare-and-swap: its emulation corrupts the kernel's allocator (seen with QEMU 7.2 and Linux 6.12).
    machine: &["-cpu", "max,-cx16"],
    ports: &["-serial", "chardev:console", "-serial", "chardev:tests"],
    console: "ttyS0",
    tests: "ttyS1",
    foreign: None,
};
