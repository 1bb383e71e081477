//! What aya-obj keeps to itself of an ELF file: sizes of sections, symbols, uses of externs.

use std::collections::HashMap;

use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolFlags, elf};

pub(crate) struct Elf<'a> {
    /// The section `.BTF`.
    pub(crate) btf: &'a [u8],
    /// Where instructions name an extern.
    pub(crate) extern_uses: Vec<ExternUse>,
    section_sizes: HashMap<&'a str, u32>,
    contents: HashMap<&'a str, &'a [u8]>,
    symbols: HashMap<&'a str, Symbol>,
}

#[derive(Clone, Copy)]
pub(crate) struct Symbol {
    /// In its section.
    pub(crate) offset: u32,
    pub(crate) hidden: bool,
}

/// An instruction whose address is an extern's.
pub(crate) struct ExternUse {
    /// Of the code.
    pub(crate) section_index: usize,
    /// In the section, in bytes.
    pub(crate) offset: usize,
    pub(crate) name: String,
}

impl<'a> Elf<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Elf<'a> {
        let file = ElfFile64::<Endianness>::parse(bytes).expect("an ELF file of 64 bits");
        let sections = || file.sections().map(|section| (section.name().expect("sections have names"), section));
        let (_, btf) = sections().find(|(name, _)| *name == ".BTF").expect("compiled with -g");
        let symbols = file.symbols().filter(|symbol| symbol.is_global() && symbol.is_definition()).map(|symbol| {
            let SymbolFlags::Elf { st_other, .. } = symbol.flags() else { unreachable!("an ELF file") };
            let hidden = matches!(st_other & 3, elf::STV_HIDDEN | elf::STV_INTERNAL);
            (symbol.name().expect("globals have names"), Symbol { offset: symbol.address() as u32, hidden })
        });
        let mut extern_uses = Vec::new();
        for (_, section) in sections().filter(|(_, section)| section.kind() == object::SectionKind::Text) {
            for (offset, relocation) in section.relocations() {
                let RelocationTarget::Symbol(index) = relocation.target() else { continue };
                let symbol = file.symbol_by_index(index).expect("a symbol of the file");
                if symbol.is_undefined() {
                    let name = symbol.name().expect("externs have names").to_owned();
                    extern_uses.push(ExternUse { section_index: section.index().0, offset: offset as usize, name });
                }
            }
        }
        Elf {
            btf: btf.data().expect("inside the file"),
            extern_uses,
            contents: sections().map(|(name, section)| (name, section.data().expect("inside the file"))).collect(),
            section_sizes: sections().map(|(name, section)| (name, section.size() as u32)).collect(),
            symbols: symbols.collect(),
        }
    }

    pub(crate) fn section_size(&self, name: &str) -> u32 {
        *self.section_sizes.get(name).unwrap_or_else(|| panic!("no section {name:?}"))
    }

    pub(crate) fn contents(&self, name: &str) -> Option<&'a [u8]> {
        self.contents.get(name).copied()
    }

    /// A global symbol: static ones may share a name.
    pub(crate) fn symbol(&self, name: &str) -> Symbol {
        self.find_symbol(name).unwrap_or_else(|| panic!("no symbol {name:?}"))
    }

    pub(crate) fn find_symbol(&self, name: &str) -> Option<Symbol> {
        self.symbols.get(name).copied()
    }
}
