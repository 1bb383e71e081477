//! A compiler for other processors. rustup has no other target where only packages of Debian can be had, and the compiler of Debian 12
//! is older than what the tests depend on. So that of Debian 13 is unpacked, with the libraries that it needs, and runs beside the host's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::{cached, run};
use super::kernels::Package;
use super::platform::{Foreign, Program};
use crate::Result;

/// What cargo is to use in place of the host's.
pub(crate) struct Toolchain {
    pub(crate) rustc: PathBuf,
    pub(crate) linker: &'static str,
}

/// Fetches and unpacks what is not in `cache` yet.
pub(crate) fn of(foreign: &Foreign, cache: &Path) -> Result<Toolchain> {
    is_there(&foreign.linker)?;
    let root = cache.join("rust");
    for package in COMPILER.iter().chain([&foreign.std]) {
        let file = cached(package, cache)?;
        let done = root.join("unpacked").join(package.sha256);
        if !done.exists() {
            fs::create_dir_all(root.join("unpacked"))?;
            run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(&root))?;
            fs::write(done, "")?;
        }
    }
    // The loader of that Debian, for programs of its C library. Its compiler would look for its libraries beside the loader.
    let usr = root.join("usr").canonicalize()?.display().to_string();
    let script = format!(
        "#!/bin/sh\nexec '{usr}/lib64/ld-linux-x86-64.so.2' --library-path '{usr}/lib/x86_64-linux-gnu' \\\n    \
         '{usr}/bin/rustc' --sysroot '{usr}' \"$@\"\n"
    );
    let rustc = root.join("rustc").canonicalize().or_else(|_| std::path::absolute(root.join("rustc")))?;
    fs::write(&rustc, script)?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
    Ok(Toolchain { rustc, linker: foreign.linker.name })
}

fn is_there(program: &Program) -> Result<()> {
    let found = run(Command::new(program.name).arg("--version"));
    found.map_err(|error| format!("{error}; run: apt-get install {}", program.package))?;
    Ok(())
}

/// rustc, LLVM and what they are linked with.
const COMPILER: [Package; 17] = [
    Package::debian(
        "pool/main/r/rustc-web/rustc-web_1.96.0+dfsg1-1~deb13u1+b1_amd64.deb",
        "72da9dc370bbc0de89813949c3b130b44239d677bd3e56893384908153c7c5dc",
    ),
    Package::debian(
        "pool/main/r/rustc-web/libstd-rust-web-1.96_1.96.0+dfsg1-1~deb13u1+b1_amd64.deb",
        "a9b3de89458772425457251432c2937ae03fc8472ad5f1254e8a5ec75e6e63e3",
    ),
    Package::debian(
        "pool/main/r/rustc-web/libstd-rust-web-dev_1.96.0+dfsg1-1~deb13u1+b1_amd64.deb",
        "5ad47305a951ab5b89953c45e3a4c56c122cf610461595f37ce48907b3c0ed83",
    ),
    Package::debian(
        "pool/main/l/llvm-toolchain-22/libllvm22_22.1.8-1~deb13u5_amd64.deb",
        "2b299d0615054df8cf0bd9f99b51bad1c4595ee4fa6cda61c060176f90950566",
    ),
    Package::debian(
        "pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
        "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
    ),
    Package::debian(
        "pool/main/g/gcc-14/libgcc-s1_14.2.0-19_amd64.deb",
        "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
    ),
    Package::debian(
        "pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb",
        "ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0",
    ),
    Package::debian(
        "pool/main/libf/libffi/libffi8_3.4.8-2_amd64.deb",
        "0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68",
    ),
    Package::debian(
        "pool/main/libe/libedit/libedit2_3.1-20250104-1_amd64.deb",
        "b002ea172b9c1e34a67bc497c523c67bb74c3f0a4e98113cb083990a1f1d3bfe",
    ),
    Package::debian(
        "pool/main/z/z3/libz3-4_4.13.3-1_amd64.deb",
        "71383373523ef62d47eccf660cf6535c3febcbb3f88e54cb7a43124014b57359",
    ),
    Package::debian(
        "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb",
        "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb",
    ),
    Package::debian(
        "pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_amd64.deb",
        "2f6a2aeacfc925eba8b00ac9139bc4bfccf8cacb09eb93de067074b26948eef9",
    ),
    Package::debian(
        "pool/main/libx/libxml2/libxml2_2.12.7+dfsg+really2.9.14-2.1+deb13u3_amd64.deb",
        "e0c6b63ce4602a036a526f60fe5e6c1586710688058d98fc1001b9b3147b7efd",
    ),
    Package::debian(
        "pool/main/n/ncurses/libtinfo6_6.5+20250216-2_amd64.deb",
        "8b9f6a7983e9418564e48a627518de4c03917b56efe68d7f3e93bd8fffa1cc10",
    ),
    Package::debian(
        "pool/main/libb/libbsd/libbsd0_0.12.2-2_amd64.deb",
        "e5a85986fa6bec3307ab1bc860736b478b331882bc45e17675a7bdf88eecb43a",
    ),
    Package::debian(
        "pool/main/x/xz-utils/liblzma5_5.8.1-1+deb13u2_amd64.deb",
        "b38acab30f295bf1066a6632e31cbd0a1980f2924b38040cda131d5dea5384ec",
    ),
    Package::debian(
        "pool/main/libm/libmd/libmd0_1.1.0-2+b1_amd64.deb",
        "7244ec3839b61fac0c1884fe08aaa040f26e8f1f35f1f5d3482eacefd30d1b44",
    ),
];
