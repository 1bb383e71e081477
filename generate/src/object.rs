//! The contents of an object file, or of BTF alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bpfvar::btf::{Kind, Section, SectionVar, Type};
use bpfvar::{Btf, Linkage};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolFlags, elf};

use crate::contents::{Access, ArrayMap, Contents, Variable};
use crate::error::{Error, Result};
use crate::uses;

/// `BPF_MAP_TYPE_*` and `BPF_F_*`, as far as they matter here.
const ARRAY: u32 = 2;
const PERCPU_ARRAY: u32 = 6;
const RDONLY_PROG: u32 = 1 << 7;
const MMAPABLE: u32 = 1 << 10;

/// An object file as a compiler or linker writes it.
pub(crate) struct ObjectFile {
    btf: Btf,
    /// Global variables by section and name.
    symbols: HashMap<(String, String), Symbol>,
    /// See [`Contents::uses`].
    uses: BTreeMap<String, BTreeSet<String>>,
}

struct Symbol {
    offset: u64,
    hidden: bool,
}

impl ObjectFile {
    /// Reads an ELF file or BTF. Any bytes may be given; `name` is for errors.
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<ObjectFile> {
        match bytes {
            [0x7f, b'E', b'L', b'F', ..] => ObjectFile::parse_elf(name, bytes),
            // In either byte order: of the wrong one the library says so.
            [0x9f, 0xeb, ..] | [0xeb, 0x9f, ..] => {
                Ok(ObjectFile { btf: parse_btf(name, bytes)?, symbols: HashMap::new(), uses: BTreeMap::new() })
            }
            _ => {
                let first = &bytes[..bytes.len().min(4)];
                let found = if first.is_empty() { "nothing".to_owned() } else { format!("{first:02x?}") };
                Err(Error::NoObject { name: name.to_owned(), found })
            }
        }
    }

    fn parse_elf(name: &str, bytes: &[u8]) -> Result<ObjectFile> {
        let broken = |error: object::Error| Error::Elf { name: name.to_owned(), reason: error.to_string() };
        let file = object::File::parse(bytes).map_err(broken)?;
        let section = file.section_by_name(".BTF").ok_or_else(|| Error::NoBtf { name: name.to_owned() })?;
        let btf = parse_btf(name, section.data().map_err(broken)?)?;
        let mut symbols = HashMap::new();
        for symbol in file.symbols().filter(|symbol| symbol.is_global()) {
            let Some(section) = symbol.section_index() else { continue };
            let section = file.section_by_index(section).map_err(broken)?.name().map_err(broken)?.to_owned();
            let hidden = match symbol.flags() {
                SymbolFlags::Elf { st_other, .. } => matches!(st_other & 3, elf::STV_HIDDEN | elf::STV_INTERNAL),
                _ => false,
            };
            let name = symbol.name().map_err(broken)?.to_owned();
            symbols.insert((section, name), Symbol { offset: symbol.address(), hidden });
        }
        let kconfig = btf.sections().filter(|section| section.name() == ".kconfig").flat_map(Section::vars);
        let externs = kconfig.map(|var| var.name).collect();
        let uses = uses::of_programs(&file, &externs).map_err(broken)?;
        Ok(ObjectFile { btf, symbols, uses })
    }

    pub(crate) fn contents(&self) -> Contents<'_> {
        let mut contents =
            Contents { btfs: vec![&self.btf], vars: Vec::new(), maps: Vec::new(), uses: self.uses.clone() };
        for section in self.btf.sections() {
            if section.name() == ".maps" {
                contents.maps.extend(section.vars().filter_map(array_map));
            } else if is_data(section.name()) {
                let access = self.access(section);
                contents.vars.extend(section.vars().map(|var| self.variable(section, var, access)));
            }
        }
        contents
    }

    fn variable<'b>(&self, section: Section<'b>, var: SectionVar<'b>, access: Access) -> Variable<'b> {
        let offset = match self.symbol(section, var) {
            // Before an object is linked, its BTF has only the places of static variables.
            Some(symbol) if section.size() == 0 && var.linkage == Linkage::Global => Some(symbol.offset),
            _ if section.size() != 0 || var.linkage == Linkage::Static => Some(var.offset.into()),
            _ => None,
        };
        Variable { section: section.name().to_owned(), name: var.name.to_owned(), ty: var.ty, offset, access }
    }

    fn symbol(&self, section: Section<'_>, var: SectionVar<'_>) -> Option<&Symbol> {
        self.symbols.get(&(section.name().to_owned(), var.name.to_owned()))
    }

    /// How the map is made that a loader makes of the section.
    fn access(&self, section: Section<'_>) -> Access {
        // Nobody outside of the object could name a static variable, so libbpf does not make a map of them mappable.
        let is_static = |var: SectionVar<'_>| {
            var.linkage == Linkage::Static || self.symbol(section, var).is_some_and(|symbol| symbol.hidden)
        };
        match section.name() {
            _ if section.vars().all(is_static) => Access::Call,
            name if name.starts_with(".rodata") || name == ".kconfig" => Access::Read,
            _ => Access::Write,
        }
    }
}

fn parse_btf(name: &str, bytes: &[u8]) -> Result<Btf> {
    Btf::parse(bytes).map_err(|error| Error::Btf { name: name.to_owned(), error })
}

/// Whether loaders make a map of the section.
pub(crate) fn is_data(section: &str) -> bool {
    let is = |name: &str| section.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    is(".data") || is(".bss") || is(".rodata") || section == ".kconfig"
}

/// A map's definition is a struct whose members' types carry the values: `int (*max_entries)[16]`, `struct stats *value`.
fn array_map(var: SectionVar<'_>) -> Option<ArrayMap<'_>> {
    let member = |name: &str| var.ty.members().find(|member| member.name == name);
    let pointee = |name: &str| match member(name)?.ty.resolve().kind() {
        Kind::Pointer(to) => Some(to),
        _ => None,
    };
    let number = |name: &str| match pointee(name)?.resolve().kind() {
        Kind::Array { len, .. } => Some(len),
        _ => None,
    };
    let flags = number("map_flags").unwrap_or(0);
    let access = match number("type")? {
        ARRAY if flags & MMAPABLE != 0 && flags & RDONLY_PROG != 0 => Access::Read,
        ARRAY if flags & MMAPABLE != 0 => Access::Write,
        ARRAY | PERCPU_ARRAY => Access::Call,
        _ => return None,
    };
    let value: Type<'_> = pointee("value").filter(|value| value.size().is_some())?;
    Some(ArrayMap { name: var.name.to_owned(), value, access })
}
