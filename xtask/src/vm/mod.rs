//! `cargo xtask vm`: runs the tests that need the kernel on the kernels of a table, in QEMU. It emulates the processor, so that it
//! needs no rights and runs in a virtual machine, too.

mod image;
mod initramfs;
mod kernels;
mod machine;
mod outcome;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use self::image::Image;
use self::kernels::KERNELS;
use self::machine::Machine;
use crate::Result;

/// The test programs that need the kernel, and the one that only needs a processor.
const TESTS: [&str; 4] = ["kernel", "section", "value", "together"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Kernels of the table, by version [default: all]
    kernels: Vec<String>,
    /// Boot the kernel in these packages of Debian instead; a kernel in several packages takes this several times
    #[arg(long, value_name = "FILE", conflicts_with = "kernels")]
    package: Vec<PathBuf>,
    /// Give the machine of --package so many CPUs
    #[arg(long, default_value_t = 2)]
    cpus: u32,
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
    // What cannot be had fails before anything is booted.
    let images = images(args, &target.join("cache"))?;
    println!("building {}", tests.join(", "));
    let programs = initramfs::build(&tests, &target.join("build"))?;
    let mut failed = Vec::new();
    for (name, cpus, image) in &images {
        let name = format!("{name}, {cpus} CPU{}", if *cpus == 1 { "" } else { "s" });
        let folder = target.join("run").join(name.replace(", ", "-").replace(' ', "-"));
        fs::create_dir_all(&folder)?;
        let archive = folder.join("initramfs");
        programs.pack(&image.config, &archive)?;
        let machine = Machine { vmlinuz: &image.vmlinuz, initramfs: &archive, cpus: *cpus, folder: &folder };
        let output = machine.run(&tests, args.filter.as_deref())?;
        if args.show {
            println!("{}", output.text);
        }
        match outcome::of(&output, &tests) {
            Ok(passed) => println!("{name}: {passed}"),
            Err(error) => {
                println!("{name}: FAILED\n{error}\nall of it: {}", folder.display());
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed on: {}", failed.join("; ")).into()) }
}

/// Name, number of CPUs and kernel of each machine.
fn images(args: &Args, cache: &Path) -> Result<Vec<(String, u32, Image)>> {
    if !args.package.is_empty() {
        let image = image::unpacked(&args.package, &cache.join("package"))?;
        return Ok(vec![("package".to_owned(), args.cpus, image)]);
    }
    if let Some(unknown) = args.kernels.iter().find(|name| KERNELS.iter().all(|kernel| kernel.version != **name)) {
        let known: Vec<&str> = KERNELS.iter().map(|kernel| kernel.version).collect();
        return Err(format!("no kernel {unknown} is in xtask/src/vm/kernels.rs, but {}", known.join(", ")).into());
    }
    let mut images = Vec::new();
    for kernel in &KERNELS {
        if args.kernels.is_empty() || args.kernels.iter().any(|name| name == kernel.version) {
            for &cpus in kernel.cpus {
                images.push((kernel.version.to_owned(), cpus, image::of_table(kernel, cache)?));
            }
        }
    }
    Ok(images)
}
