//! `.kconfig`: externs whose values the loader takes from the kernel's configuration, as libbpf does.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;

use flate2::read::GzDecoder;

use crate::btf::{Btf, Linkage, Section, Variable, kind};

/// Lays `.kconfig` out: largest alignment first, then by size, then by name. It exists in BTF only.
pub(crate) fn lay_out(btf: &Btf) -> Option<Section> {
    let mut section = btf.section(".kconfig")?;
    section
        .variables
        .sort_by_key(|variable| (Reverse(align_of(btf, variable.type_id)), variable.size, variable.name.clone()));
    section.size = 0;
    for variable in &mut section.variables {
        variable.offset = section.size.next_multiple_of(align_of(btf, variable.type_id));
        section.size = variable.offset + variable.size;
        // It is no longer: here it is.
        variable.linkage = Linkage::Global;
    }
    Some(section)
}

/// The section's bytes. What the configuration does not mention stays zero: all such externs here are weak.
pub(crate) fn contents(btf: &Btf, section: &Section) -> Vec<u8> {
    let config = read_config();
    let mut bytes = vec![0; section.size as usize];
    for variable in &section.variables {
        let value = match variable.name.as_str() {
            "LINUX_KERNEL_VERSION" => Some(version_code().to_string()),
            name => config.get(name).cloned(),
        };
        if let Some(value) = value {
            let place = &mut bytes[variable.offset as usize..][..variable.size as usize];
            write(place, &value, btf, variable);
        }
    }
    bytes
}

fn write(place: &mut [u8], value: &str, btf: &Btf, variable: &Variable) {
    let id = btf.resolve(variable.type_id);
    if let Some(text) = value.strip_prefix('"') {
        let text = text.strip_suffix('"').expect("a string ends with a quote");
        // Always with a NUL.
        let len = text.len().min(place.len() - 1);
        place[..len].copy_from_slice(&text.as_bytes()[..len]);
        return;
    }
    let number = match (value, btf.kind(id), place.len()) {
        // Without the encoding BOOL: a char.
        ("y" | "n" | "m", kind::INT, 1) if btf.detail(id) >> 24 & 4 == 0 => u64::from(value.as_bytes()[0]),
        ("n", ..) => 0,
        ("y", ..) => 1,
        ("m", kind::ENUM, _) => 2,
        _ => match value.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => value.parse::<i64>().map(|number| number as u64),
        }
        .unwrap_or_else(|_| panic!("{}={value} does not fit its type", variable.name)),
    };
    // The low bytes come first or last.
    let low = if cfg!(target_endian = "little") { 0..place.len() } else { 8 - place.len()..8 };
    place.copy_from_slice(&number.to_ne_bytes()[low]);
}

fn align_of(btf: &Btf, type_id: u32) -> u32 {
    let id = btf.resolve(type_id);
    match btf.kind(id) {
        kind::INT | kind::ENUM => btf.size_or_type(id).min(8),
        kind::PTR => 8,
        kind::ARRAY => align_of(btf, btf.detail(id)),
        kind => panic!("no extern of .kconfig is of BTF kind {kind}"),
    }
}

/// `/boot/config-...`, else `/proc/config.gz`; nothing where there is neither.
fn read_config() -> HashMap<String, String> {
    let mut text = String::new();
    if let Ok(plain) = fs::read_to_string(format!("/boot/config-{}", release())) {
        text = plain;
    } else if let Ok(file) = File::open("/proc/config.gz") {
        GzDecoder::new(file).read_to_string(&mut text).expect("/proc/config.gz is gzip");
    }
    let entries = text.lines().filter(|line| line.starts_with("CONFIG_")).filter_map(|line| line.split_once('='));
    entries.map(|(name, value)| (name.to_owned(), value.trim_end().to_owned())).collect()
}

/// `KERNEL_VERSION(a, b, c)`.
fn version_code() -> u32 {
    let release = release();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_u32);
    (next() << 16) + (next() << 8) + next().min(255)
}

fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted").trim().to_owned()
}
