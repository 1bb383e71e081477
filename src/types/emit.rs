//! Types to bytes, for maps that we make.

use std::collections::BTreeMap;

use super::TypeId;

/// Writes BTF, a type after the other. Types that are the same are written once.
#[derive(Default)]
pub(crate) struct Emitter {
    types: Vec<u8>,
    count: u32,
    strings: Vec<u8>,
    /// Sorted rather than hashed: a first hash asks the kernel for random bytes.
    known: BTreeMap<Vec<u8>, TypeId>,
}

/// BTF of a map that we make: the bytes, and which of its types are the key's and the value's.
pub(crate) struct Description {
    pub(crate) bytes: Vec<u8>,
    pub(crate) key: u32,
    pub(crate) value: u32,
}

/// How the bits of an integer are meant.
#[derive(Clone, Copy)]
pub(crate) enum Encoding {
    Unsigned = 0,
    Signed = 1,
    Bool = 4,
}

impl Emitter {
    pub(crate) fn int(&mut self, name: &str, size: u32, encoding: Encoding) -> TypeId {
        let name = self.string(name);
        self.add(&[name, 1 << 24, size, ((encoding as u32) << 24) | (size * 8)])
    }

    pub(crate) fn float(&mut self, name: &str, size: u32) -> TypeId {
        let name = self.string(name);
        self.add(&[name, 16 << 24, size])
    }

    pub(crate) fn array(&mut self, element: TypeId, len: u32) -> TypeId {
        let index = self.int("unsigned int", 4, Encoding::Unsigned);
        self.add(&[0, 3 << 24, 0, element.0, index.0, len])
    }

    /// Members with name, type and offset in bytes. None where the format has no room for so many or so far.
    pub(crate) fn structure(&mut self, name: &str, size: u32, members: &[(String, TypeId, u32)]) -> Option<TypeId> {
        let count = u16::try_from(members.len()).ok()?;
        let name = self.string(name);
        let mut words = vec![name, 4 << 24 | u32::from(count), size];
        for (name, of, offset) in members {
            words.extend([self.string(name), of.0, offset.checked_mul(8)?]);
        }
        Some(self.add(&words))
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let Emitter { types, mut strings, .. } = self;
        if strings.is_empty() {
            strings.push(0);
        }
        assemble(&types, &strings)
    }

    fn add(&mut self, words: &[u32]) -> TypeId {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        if let Some(id) = self.known.get(&bytes) {
            return *id;
        }
        self.types.extend(&bytes);
        self.count += 1;
        self.known.insert(bytes, TypeId(self.count));
        TypeId(self.count)
    }

    /// The place of a name among the strings. The kernel takes letters, digits, `_` and `.`, no digit first.
    fn string(&mut self, name: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        let mut valid: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if valid.starts_with(|c: char| c.is_ascii_digit()) {
            valid.insert(0, '_');
        }
        let needle = [b"\0", valid.as_bytes(), b"\0"].concat();
        if let Some(before) = self.strings.windows(needle.len()).position(|window| window == needle) {
            return before as u32 + 1;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(valid.as_bytes());
        self.strings.push(0);
        at
    }
}

/// BTF of encoded types and the strings that they name.
pub(super) fn assemble(types: &[u8], strings: &[u8]) -> Vec<u8> {
    // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
    let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
    bytes.extend([1, 0]);
    for word in [24, 0, types.len() as u32, types.len() as u32, strings.len() as u32] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(types);
    bytes.extend(strings);
    bytes
}
