//! Objects as the compiler leaves them, in both byte orders. Needs no kernel.

use crate::elf::Elf;
use crate::source::Source;

/// An object that nobody has loaded.
pub struct Compiled(Elf<'static>);

impl Compiled {
    /// An object in a byte order, whatever this machine's is.
    pub fn of(source: Source, big_endian: bool) -> Compiled {
        Compiled(Elf::read(source.bytes_in(big_endian)))
    }

    /// The section `.BTF`.
    pub fn btf(&self) -> &'static [u8] {
        self.0.btf
    }

    /// What a section holds from a global variable on. None for what is no global variable with contents.
    pub fn contents(&self, section: &str, variable: &str) -> Option<&'static [u8]> {
        let symbol = self.0.find_symbol(variable)?;
        self.0.contents(section)?.get(symbol.offset as usize..)
    }
}
