//! From a package of Debian to a kernel image on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::kernels::{Archive, Kernel, Package};
use crate::Result;

/// A kernel that can be booted.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) vmlinuz: PathBuf,
    /// What it was configured with. Loaders of programs look into it.
    pub(crate) config: PathBuf,
}

/// Fetches the packages of a kernel unless they are in `cache`, checks them and unpacks them.
pub(crate) fn of_table(kernel: &Kernel, cache: &Path) -> Result<Image> {
    let packages: Result<Vec<PathBuf>> = kernel.packages.iter().map(|package| cached(package, cache)).collect();
    unpacked(&packages?, &cache.join(kernel.version))
}

/// Unpacks packages into `folder` and finds the kernel in them.
pub(crate) fn unpacked(packages: &[PathBuf], folder: &Path) -> Result<Image> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for package in packages {
        run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(folder))?;
    }
    let find = |name| -> Result<PathBuf> {
        let found = file_in(folder, name)?;
        Ok(found.ok_or_else(|| format!("there is no {name} in {packages:?}: give all packages of the kernel"))?)
    };
    Ok(Image { vmlinuz: find("vmlinuz")?, config: find("config")? })
}

/// The file of a package: fetched unless it is in `cache`, and checked.
pub(crate) fn cached(package: &Package, cache: &Path) -> Result<PathBuf> {
    let (_, name) = package.path.rsplit_once('/').ok_or("a path in a pool has directories")?;
    let path = cache.join(name);
    if !path.exists() {
        fs::create_dir_all(cache)?;
        let url = format!("{}{}", address(package.archive)?, package.path);
        let checksum = format!("SHA256:{}", package.sha256);
        let mut helper = Command::new("/usr/lib/apt/apt-helper");
        // apt's own user cannot write here.
        helper.args(["-o", "APT::Sandbox::User=root", "download-file", &url]).arg(&path).arg(checksum);
        run(&mut helper).map_err(|error| {
            format!("{name}: {error}; if Debian has removed it for a newer one, change xtask/src/vm/kernels.rs")
        })?;
    }
    let sum = run(Command::new("sha256sum").arg(&path))?;
    match sum.split(' ').next().unwrap_or_default() {
        sum if sum == package.sha256 => Ok(path),
        found => Err(format!("{} has SHA-256 {found}, not {}: remove it", path.display(), package.sha256).into()),
    }
}

/// Where this machine gets packages from.
fn address(archive: Archive) -> Result<String> {
    let targets =
        run(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]))?;
    let end = format!("/{}/", archive.name());
    let found = targets.lines().find(|uri| uri.ends_with(&end));
    Ok(found.ok_or_else(|| format!("none of the sources of apt ends in {end}: it must have Debian's"))?.to_owned())
}

/// A file of this name below a folder; the kernel's release may follow behind a hyphen.
fn file_in(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = match entry.file_type()? {
            kind if kind.is_dir() => file_in(&entry.path(), name)?,
            kind if kind.is_file() => entry
                .file_name()
                .to_str()
                .and_then(|found| found.strip_prefix(name))
                .and_then(|rest| (rest.is_empty() || rest.starts_with('-')).then(|| entry.path())),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Runs a program to its end, and gives what it prints.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
