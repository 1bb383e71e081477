//! The kernels: which packages of Debian, and what must be in them.

/// A package in the pool of an archive of Debian.
pub(crate) struct Package {
    pub(crate) archive: Archive,
    /// Below the archive's address.
    pub(crate) path: &'static str,
    pub(crate) sha256: &'static str,
}

impl Package {
    pub(crate) const fn debian(path: &'static str, sha256: &'static str) -> Package {
        Package { archive: Archive::Debian, path, sha256 }
    }

    pub(crate) const fn security(path: &'static str, sha256: &'static str) -> Package {
        Package { archive: Archive::Security, path, sha256 }
    }
}

/// An archive of Debian, by the last part of its address.
#[derive(Clone, Copy)]
pub(crate) enum Archive {
    Debian,
    Security,
}

impl Archive {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Archive::Debian => "debian",
            Archive::Security => "debian-security",
        }
    }
}

/// A kernel of the matrix.
pub(crate) struct Kernel {
    /// As one says it, and as `cargo xtask vm` takes it.
    pub(crate) version: &'static str,
    /// The image, its configuration, and nothing else that is needed.
    pub(crate) packages: &'static [Package],
    /// How many CPUs its machines have: one machine for each number.
    pub(crate) cpus: &'static [u32],
}

/// The matrix. To take a newer package, change path and checksum: `apt-cache show PACKAGE` has both as `Filename` and `SHA256`. Debian
/// removes a package from its pool some time after there is a newer one.
pub(crate) const KERNELS: [Kernel; 4] = [
    // Debian 11
    Kernel {
        version: "5.10",
        packages: &[Package {
            archive: Archive::Security,
            path: "pool/updates/main/l/linux-signed-amd64/linux-image-5.10.0-46-cloud-amd64_5.10.262-1_amd64.deb",
            sha256: "18d94781d1b3052e21967ac2262239e5f14fbf511d6c3e110629d7aa35340760",
        }],
        cpus: &[2],
    },
    // Debian 12
    Kernel {
        version: "6.1",
        packages: &[Package {
            archive: Archive::Security,
            path: "pool/updates/main/l/linux-signed-amd64/linux-image-6.1.0-56-cloud-amd64_6.1.192-2_amd64.deb",
            sha256: "e7d02b943971edcb8790e256c02cfab3bca6c3d37c1bf25392a57c71300615ee",
        }],
        cpus: &[2],
    },
    // Debian 13
    Kernel {
        version: "6.12",
        packages: &[Package {
            archive: Archive::Security,
            path: "pool/updates/main/l/linux-signed-amd64/linux-image-6.12.118+deb13-cloud-amd64_6.12.118-1_amd64.deb",
            sha256: "07f23ba1de88377d700e1e2f5b2ee495ff89b0d0bb73fdbd3eac8f6b27609b9a",
        }],
        cpus: &[2, 1],
    },
    // The newest that Debian has, in the backports for 13
    Kernel {
        version: "7.3",
        packages: &[
            Package {
                archive: Archive::Debian,
                path: "pool/main/l/linux-signed-amd64/linux-binary-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
                sha256: "c4fbc8e404958693b28825474c20742d70594d65ca58aea7be6a279c81eb6fa0",
            },
            Package {
                archive: Archive::Debian,
                path: "pool/main/l/linux/linux-base-7.3.4+deb13-cloud-amd64_7.3.4-1~bpo13+1_amd64.deb",
                sha256: "e08baa43706ba6e8daff58029b039f46beecfb3b3750c6fa0d6d5ca508a46a43",
            },
        ],
        cpus: &[2],
    },
];
