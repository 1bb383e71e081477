//! Loading as aya does.

use std::os::fd::AsFd;

use aya_obj::EbpfSectionKind;
use aya_obj::btf::BtfFeatures;
use bpfvar::Map;
use bpfvar_testkit::{host, load_btf};

use super::parts;
use crate::btf::Btf;
use crate::loaded::Loaded;
use crate::source::Source;

/// Loads an object as aya does: section maps that cannot be mapped, without types, with the bare names of sections. Only the
/// programs lead to the types.
///
/// # Panics
///
/// If the kernel refuses; and for [`Source::Kinds`], since aya knows no `.kconfig`.
pub fn load_as_aya(source: Source) -> Loaded {
    let mut object = parts::parse(source);
    let since = |major, minor| host::kernel() >= (major, minor);
    let known = BtfFeatures::new(true, true, true, true, since(5, 13), since(5, 16), since(5, 17), since(6, 0));
    let btf =
        object.fixup_and_sanitize_btf(&known).expect("aya knows all sections").expect("compiled with -g").to_bytes();
    let btf_fd = load_btf(&btf).expect("the kernel takes the types");
    let maps = parts::relocate(&mut object, |name, map| match map.section_kind() {
        EbpfSectionKind::BtfMaps => parts::declared_map(name, map, btf_fd.as_fd()),
        kind => section_map(name, map.data(), kind == EbpfSectionKind::Rodata),
    });
    let programs = parts::load_programs(&mut object, btf_fd.as_fd(), None);
    Loaded { name: source.name().to_owned(), programs, maps, btf: Some(Btf::parse(&btf)), _pins: Vec::new() }
}

fn section_map(section: &str, contents: &[u8], read_only: bool) -> Map {
    let name = &section[..section.len().min(15)];
    let builder = Map::builder().name(name).value_size(contents.len() as u32).unmappable();
    let builder = if read_only { builder.rdonly_prog() } else { builder };
    let map = builder.create().expect("the kernel takes the map");
    map.update(0, contents).expect("it is not frozen yet");
    if read_only {
        map.freeze().expect("nobody has mapped it");
    }
    map
}
