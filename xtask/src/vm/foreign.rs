//! Machines of other processors than the host's: their kernels, and what it takes to build for them.

use super::kernels::{Kernel, Package};
use super::platform::{Foreign, Platform, Program};

/// Run only where they are asked for by name. How to take newer packages is said at `KERNELS`.
pub(crate) const FOREIGN: [(Kernel, &Platform); 2] = [(ARM64_16K, &ARM64), (S390X_KERNEL, &S390X)];

/// Of Debian 13, with pages of 16 KiB.
const ARM64_16K: Kernel = Kernel {
    version: "arm64-16k",
    packages: &[Package::security(
        "pool/updates/main/l/linux-signed-arm64/linux-image-6.12.118+deb13-arm64-16k_6.12.118-1_arm64.deb",
        "872b3f1683c6bf046facce9421099d9d4720b811516f2c00338b9673fab1b308",
    )],
    cpus: &[2],
};

const ARM64: Platform = Platform {
    target: "aarch64-unknown-linux-gnu",
    emulator: Program { name: "qemu-system-aarch64", package: "qemu-system-arm" },
    // Of all processors that it knows, only this one has such pages. Signing pointers as the processor does takes long to emulate.
    machine: &["-machine", "virt", "-cpu", "max,pauth-impdef=on"],
    ports: &["-serial", "chardev:console", "-device", "pci-serial,chardev=tests"],
    console: "ttyAMA0",
    tests: "ttyS0",
    foreign: Some(Foreign {
        linker: Program { name: "aarch64-linux-gnu-gcc", package: "gcc-aarch64-linux-gnu" },
        std: Package::debian(
            "pool/main/r/rustc-web/libstd-rust-web-dev_1.96.0+dfsg1-1~deb13u1+b1_arm64.deb",
            "732ee16043f6917b1e4aaef020449752b68a78853a3b4bd3389a9523142729b9",
        ),
        bpftool: &[
            Package::security(
                "pool/updates/main/l/linux/bpftool_7.5.0+6.12.118-1_arm64.deb",
                "694df339ee481bd17bc9b7fded405cd7614ad572ad47e151376df2de955c2b29",
            ),
            Package::debian(
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_arm64.deb",
                "0966fc3da1a26cc57647c68b5736f791b6e7eb498173a7993f63b6c89b4ed4f5",
            ),
            Package::debian(
                "pool/main/e/elfutils/libelf1t64_0.192-4_arm64.deb",
                "815b4265c7d6c89c5bbad456bdeed7af893da6912c9d16cf4c581001927c0e37",
            ),
            Package::debian(
                "pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_arm64.deb",
                "863aa5b9cdf6f80010b48982d4639126b09a89eeef2c0c5c7be226297c811581",
            ),
            Package::debian(
                "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_arm64.deb",
                "0e41b3d7ad8ad7fcd36dd4d61ca91a70018478fc4af652e044f4be770784ddff",
            ),
            Package::debian(
                "pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_arm64.deb",
                "924540bd59fdbfa77a0604360efdaca54411a43daf11c7e002a3c64791b67448",
            ),
        ],
    }),
};

/// Of Debian 13. The most significant byte comes first. It interprets programs, for it has no compiler for them.
const S390X_KERNEL: Kernel = Kernel {
    version: "s390x",
    packages: &[Package::security(
        "pool/updates/main/l/linux/linux-image-6.12.113+deb13-s390x_6.12.113-1_s390x.deb",
        "531360193133af058df57ff0cd24dbc49609c63df9019dffc4d2f380fba921a0",
    )],
    cpus: &[2],
};

const S390X: Platform = Platform {
    target: "s390x-unknown-linux-gnu",
    emulator: Program { name: "qemu-system-s390x", package: "qemu-system-misc" },
    machine: &["-machine", "s390-ccw-virtio", "-cpu", "max"],
    ports: &["-device", "sclplmconsole,chardev=console", "-device", "sclpconsole,chardev=tests"],
    console: "ttyS0",
    tests: "ttysclp0",
    foreign: Some(Foreign {
        linker: Program { name: "s390x-linux-gnu-gcc", package: "gcc-s390x-linux-gnu" },
        std: Package::debian(
            "pool/main/r/rustc-web/libstd-rust-web-dev_1.96.0+dfsg1-1~deb13u1+b1_s390x.deb",
            "560efe472de8d150195951de9b53abed0d20f2eeb1adeca3694137ad5c62d62d",
        ),
        bpftool: &[
            Package::security(
                "pool/updates/main/l/linux/bpftool_7.5.0+6.12.113-1_s390x.deb",
                "a285b45088496581814d71477e97a8d8e374d94845e4e8abd7375016f364e50a",
            ),
            Package::debian(
                "pool/main/g/glibc/libc6_2.41-12+deb13u4_s390x.deb",
                "c6e658d8e17d885c831ad1275501ef1abdadc6c93e9ac7758cfd1e5cde2d608b",
            ),
            Package::debian(
                "pool/main/e/elfutils/libelf1t64_0.192-4_s390x.deb",
                "7a8f9041e650a7df233ac73c9378ece800c8c7f82ce1a75b5bfbc67edef6ae35",
            ),
            Package::debian(
                "pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_s390x.deb",
                "de87f06cd7e2faae8dc752c42a88190f3636ffc18263b0b8504f2b0f1c1cef8e",
            ),
            Package::debian(
                "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+b1_s390x.deb",
                "e38a94c60e944dfcf1937a12b02785afbbb2bedf356da18984c4dac0acc47ed9",
            ),
            Package::debian(
                "pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_s390x.deb",
                "ed6bd13718360720b0a03d62e2440bd926b1db3b7443f46314fe3deb7e69989e",
            ),
        ],
    }),
};
