//! The types of an object, and what libbpf changes in them before the kernel sees them.
//!
//! aya-obj does the same to its own copy, but refuses `.kconfig`, and does not turn hidden variables static. So the bytes of
//! `.BTF` are changed here, in place: no type moves, and all ids stay what the compiler made them.

use crate::elf::Elf;

/// `BTF_KIND_*`, as far as they are looked into.
pub(crate) mod kind {
    pub(crate) const INT: u32 = 1;
    pub(crate) const PTR: u32 = 2;
    pub(crate) const ARRAY: u32 = 3;
    pub(crate) const STRUCT: u32 = 4;
    pub(crate) const UNION: u32 = 5;
    pub(crate) const ENUM: u32 = 6;
    pub(crate) const TYPEDEF: u32 = 8;
    pub(crate) const VOLATILE: u32 = 9;
    pub(crate) const CONST: u32 = 10;
    pub(crate) const FUNC_PROTO: u32 = 13;
    pub(crate) const VAR: u32 = 14;
    pub(crate) const DATASEC: u32 = 15;
    pub(crate) const FLOAT: u32 = 16;
    pub(crate) const DECL_TAG: u32 = 17;
    pub(crate) const TYPE_TAG: u32 = 18;
    pub(crate) const ENUM64: u32 = 19;
}

/// `struct btf_type`: name, info, size or type. What follows depends on the kind.
const TYPE_LEN: usize = 12;
/// `struct btf_var_secinfo`: type, offset, size.
const SECINFO_LEN: usize = 12;

/// Where a variable can be seen from; in the order of `BTF_VAR_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// In its own source only. What is hidden becomes static, too.
    Static,
    /// Everywhere.
    Global,
    /// Defined elsewhere.
    Extern,
}

/// A data section and its variables (`DATASEC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The number of its type.
    pub id: u32,
    /// With its dot.
    pub name: String,
    /// In bytes.
    pub size: u32,
    /// In the order of their offsets.
    pub variables: Vec<Variable>,
}

/// A variable in a data section (`VAR`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The number of the variable among the types.
    pub id: u32,
    /// The number of its type.
    pub type_id: u32,
    /// `function.name` for a static variable inside a function.
    pub name: String,
    /// Where it can be seen from.
    pub linkage: Linkage,
    /// In the section, in bytes.
    pub offset: u32,
    /// In bytes.
    pub size: u32,
}

impl Section {
    /// The variable of this name; of several, the first.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn variable(&self, name: &str) -> &Variable {
        let found = self.variables.iter().find(|variable| variable.name == name);
        found.unwrap_or_else(|| panic!("no variable {name:?} in {}", self.name))
    }
}

/// A BTF blob of this machine's byte order.
#[derive(Clone, Debug)]
pub struct Btf {
    bytes: Vec<u8>,
    /// Where each type begins, by its number; nothing at 0, which is void.
    types: Vec<usize>,
    strings: usize,
}

impl Btf {
    /// Walks over all types.
    ///
    /// # Panics
    ///
    /// If it is no BTF: what is read here comes from the compiler.
    pub fn parse(bytes: &[u8]) -> Btf {
        let mut btf = Btf { bytes: bytes.to_vec(), types: vec![0], strings: 0 };
        assert_eq!(bytes[..2], 0xeb9f_u16.to_ne_bytes(), "the magic number of BTF, in this machine's byte order");
        let header = btf.word(4) as usize;
        let (mut at, len) = (header + btf.word(8) as usize, btf.word(12) as usize);
        btf.strings = header + btf.word(16) as usize;
        let end = at + len;
        while at < end {
            btf.types.push(at);
            let info = btf.word(at + 4);
            let count = (info & 0xffff) as usize;
            at += TYPE_LEN
                + match info >> 24 & 0x1f {
                    kind::INT | kind::VAR | kind::DECL_TAG => 4,
                    kind::ARRAY => 12,
                    kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * count,
                    kind::ENUM | kind::FUNC_PROTO => 8 * count,
                    _ => 0,
                };
        }
        btf
    }

    /// The blob.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All data sections, `.maps` and `license` included.
    pub fn sections(&self) -> Vec<Section> {
        (1..self.types.len() as u32)
            .filter(|&id| self.kind(id) == kind::DATASEC)
            .map(|id| self.read_section(id))
            .collect()
    }

    /// The data section of this name.
    pub fn section(&self, name: &str) -> Option<Section> {
        self.sections().into_iter().find(|section| section.name == name)
    }

    /// `BTF_KIND_*` of a type.
    pub(crate) fn kind(&self, id: u32) -> u32 {
        self.word(self.types[id as usize] + 4) >> 24 & 0x1f
    }

    /// The name of a type; empty if it has none.
    pub(crate) fn name(&self, id: u32) -> &str {
        let at = self.strings + self.word(self.types[id as usize]) as usize;
        let len = self.bytes[at..].iter().position(|&byte| byte == 0).expect("strings end with NUL");
        std::str::from_utf8(&self.bytes[at..at + len]).expect("names are ASCII")
    }

    /// A type's size in bytes or, for those around others, the other's number: the one or the other is in this word.
    pub(crate) fn size_or_type(&self, id: u32) -> u32 {
        self.word(self.types[id as usize] + 8)
    }

    /// The first word of what is behind a type's common words: the encoding of an int, the element's type of an array.
    pub(crate) fn detail(&self, id: u32) -> u32 {
        self.word(self.types[id as usize] + TYPE_LEN)
    }

    /// The type under typedefs and qualifiers.
    pub(crate) fn resolve(&self, mut id: u32) -> u32 {
        while matches!(self.kind(id), kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::TYPE_TAG) {
            id = self.size_or_type(id);
        }
        id
    }

    /// What libbpf does to the types of an object before it loads them: data sections get their sizes, variables their
    /// offsets, hidden ones become static, and those of a section are sorted. `.kconfig`, which the ELF file has not, was
    /// laid out elsewhere (see the module `kconfig`).
    pub(crate) fn fix_up(&mut self, elf: &Elf, kconfig: Option<Section>) {
        for mut section in self.sections() {
            if let Some(laid_out) = kconfig.as_ref().filter(|kconfig| kconfig.id == section.id) {
                section = laid_out.clone();
            } else {
                // What was linked already has sizes and offsets.
                let linked = section.size != 0;
                if !linked {
                    section.size = elf.section_size(&section.name);
                }
                for variable in section.variables.iter_mut().filter(|variable| variable.linkage == Linkage::Global) {
                    let symbol = elf.symbol(&variable.name);
                    if !linked {
                        variable.offset = symbol.offset;
                    }
                    if symbol.hidden {
                        variable.linkage = Linkage::Static;
                    }
                }
            }
            section.variables.sort_by_key(|variable| variable.offset);
            self.write_section(&section);
        }
    }

    /// Replaces the kinds of types that this kernel does not know by older ones of the same length and size, as libbpf does.
    pub(crate) fn sanitize(&mut self, kernel: (u32, u32)) {
        let one_byte =
            (1..self.types.len() as u32).find(|&id| self.kind(id) == kind::INT && self.size_or_type(id) == 1);
        for id in 1..self.types.len() as u32 {
            let at = self.types[id as usize];
            let count = self.word(at + 4) & 0xffff;
            match self.kind(id) {
                kind::FLOAT if kernel < (5, 13) => {
                    // `double` is no name of a struct.
                    self.set_word(at, 0);
                    self.set_word(at + 4, kind::STRUCT << 24);
                }
                kind::DECL_TAG if kernel < (5, 16) => {
                    self.set_word(at + 4, kind::INT << 24);
                    self.set_word(at + 8, 1);
                    self.set_word(at + TYPE_LEN, 8);
                }
                kind::TYPE_TAG if kernel < (5, 17) => {
                    self.set_word(at, 0);
                    self.set_word(at + 4, kind::CONST << 24);
                }
                // Without the flag of signed ones, which came with the next kind.
                kind::ENUM if kernel < (6, 0) => self.set_word(at + 4, kind::ENUM << 24 | count),
                kind::ENUM64 if kernel < (6, 0) => {
                    // Enumerators become members: their names stay, their values do not.
                    self.set_word(at + 4, kind::UNION << 24 | count);
                    for member in 0..count as usize {
                        let at = at + TYPE_LEN + 12 * member;
                        self.set_word(at + 4, one_byte.expect("libbpf adds one; the objects have one"));
                        self.set_word(at + 8, 0);
                    }
                }
                _ => {}
            }
        }
    }

    fn read_section(&self, id: u32) -> Section {
        let at = self.types[id as usize];
        let count = (self.word(at + 4) & 0xffff) as usize;
        let variables = (0..count).map(|index| {
            let at = at + TYPE_LEN + index * SECINFO_LEN;
            let id = self.word(at);
            let linkage = match self.detail(id) {
                0 => Linkage::Static,
                1 => Linkage::Global,
                _ => Linkage::Extern,
            };
            Variable {
                id,
                type_id: self.size_or_type(id),
                name: self.name(id).to_owned(),
                linkage,
                offset: self.word(at + 4),
                size: self.word(at + 8),
            }
        });
        Section { id, name: self.name(id).to_owned(), size: self.size_or_type(id), variables: variables.collect() }
    }

    fn write_section(&mut self, section: &Section) {
        let at = self.types[section.id as usize];
        self.set_word(at + 8, section.size);
        for (index, variable) in section.variables.iter().enumerate() {
            let at = at + TYPE_LEN + index * SECINFO_LEN;
            self.set_word(at, variable.id);
            self.set_word(at + 4, variable.offset);
            self.set_word(at + 8, variable.size);
            self.set_word(self.types[variable.id as usize] + TYPE_LEN, variable.linkage as u32);
        }
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }

    fn set_word(&mut self, at: usize, word: u32) {
        self.bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }
}
