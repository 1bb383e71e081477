//! `cargo xtask vm`: runs the tests that need the kernel on the kernels of a table, in QEMU. It emulates the processor, so that it
//! needs no rights and runs in a virtual machine, too. Kernels of other processors are run where they are named.

mod foreign;
mod image;
mod initramfs;
mod kernels;
mod machine;
mod outcome;
mod platform;
mod toolchain;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use self::foreign::FOREIGN;
use self::image::Image;
use self::initramfs::Programs;
use self::kernels::{KERNELS, Kernel};
use self::machine::Machine;
use self::platform::{Platform, X86_64};
use crate::Result;

/// The test programs that need the kernel, and the one that only needs a processor.
const TESTS: [&str; 4] = ["kernel", "section", "value", "together"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kernels of the table, by version, or arm64-16k, s390x [default: all of x86-64]
    kernels: Vec<String>,
    /// Boot the kernel in these packages of Debian instead; a kernel in several packages takes this several times
    #[arg(long, value_name = "FILE", conflicts_with = "kernels")]
    package: Vec<PathBuf>,
    /// Give the machine of --package so many CPUs
    #[arg(long, default_value_t = 2)]
    cpus: u32,
    /// Run so many machines at a time; each needs up to 5 GiB of memory [default: as many as this machine has CPUs]
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Run these test programs only
    #[arg(long, value_name = "NAME", value_parser = TESTS)]
    test: Vec<String>,
    /// Show the tests' output
    #[arg(long)]
    show: bool,
    /// Run the tests with this in their names
    #[arg(last = true)]
    filter: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the repository");
    env::set_current_dir(root)?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("vm");
    let tests: Vec<&str> =
        if args.test.is_empty() { TESTS.to_vec() } else { args.test.iter().map(String::as_str).collect() };
    let cache = target.join("cache");
    // What cannot be had fails before anything is booted.
    let runs = runs(args, &cache)?;
    let mut programs = BTreeMap::new();
    for Run { platform, .. } in &runs {
        if !programs.contains_key(platform.target) {
            println!("building {} for {}", tests.join(", "), platform.target);
            programs.insert(platform.target, initramfs::build(&tests, platform, &target.join("build"), &cache)?);
        }
    }
    let jobs = args.jobs.map_or_else(thread::available_parallelism, Ok)?.get();
    let waiting = Mutex::new(runs.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.min(runs.len()) {
            scope.spawn(|| {
                while let Some(run) = next() {
                    match run.outcome(&tests, args, &programs[run.platform.target], &target.join("run")) {
                        Ok(text) => println!("{}: {text}", run.name),
                        Err(error) => {
                            println!("{}: FAILED\n{error}", run.name);
                            failed.lock().unwrap_or_else(PoisonError::into_inner).push(run.name.as_str());
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed.is_empty() { Ok(()) } else { Err(format!("failed on: {}", failed.join("; ")).into()) }
}

/// A machine of one kernel, from boot to power-off.
struct Run {
    /// The kernel and the number of CPUs.
    name: String,
    platform: &'static Platform,
    image: Image,
    cpus: u32,
}

impl Run {
    fn new(kernel: &str, platform: &'static Platform, image: Image, cpus: u32) -> Run {
        Run { name: format!("{kernel}, {cpus} CPU{}", if cpus == 1 { "" } else { "s" }), platform, image, cpus }
    }

    /// What is to be said of it.
    fn outcome(&self, tests: &[&str], args: &Args, programs: &Programs, folder: &Path) -> Result<String> {
        let folder = folder.join(self.name.replace(", ", "-").replace(' ', "-"));
        fs::create_dir_all(&folder)?;
        let archive = folder.join("initramfs");
        programs.pack(&self.image.config, &archive)?;
        let machine = Machine {
            platform: self.platform,
            vmlinuz: &self.image.vmlinuz,
            initramfs: &archive,
            cpus: self.cpus,
            folder: &folder,
        };
        let output = machine.run(tests, args.filter.as_deref())?;
        let shown = if args.show { format!("\n{}", output.text) } else { String::new() };
        match outcome::of(&output, tests) {
            Ok(passed) => Ok(format!("{passed}{shown}")),
            Err(error) => Err(format!("{error}\nall of it: {}{shown}", folder.display()).into()),
        }
    }
}

/// The machines that are asked for.
fn runs(args: &Args, cache: &Path) -> Result<Vec<Run>> {
    if !args.package.is_empty() {
        let image = image::unpacked(&args.package, &cache.join("package"))?;
        return Ok(vec![Run::new("package", &X86_64, image, args.cpus)]);
    }
    let known =
        || KERNELS.iter().map(|kernel| (kernel, &X86_64)).chain(FOREIGN.iter().map(|(kernel, on)| (kernel, *on)));
    if let Some(unknown) = args.kernels.iter().find(|name| known().all(|(kernel, _)| kernel.version != **name)) {
        let known: Vec<&str> = known().map(|(kernel, _)| kernel.version).collect();
        return Err(format!("no kernel {unknown} is in xtask/src/vm/, but {}", known.join(", ")).into());
    }
    let is_chosen = |kernel: &Kernel, platform: &Platform| match args.kernels.as_slice() {
        [] => platform.foreign.is_none(),
        names => names.iter().any(|name| name == kernel.version),
    };
    let mut runs = Vec::new();
    for (kernel, platform) in known().filter(|(kernel, platform)| is_chosen(kernel, platform)) {
        let image = image::of_table(kernel, cache)?;
        runs.extend(kernel.cpus.iter().map(|&cpus| Run::new(kernel.version, platform, image.clone(), cpus)));
    }
    Ok(runs)
}
