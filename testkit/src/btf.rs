//! BTF written by hand: good, and such as no compiler writes.

/// Types in the making. Each is given its number, which starts at 1. Nothing is checked: forged ones are what it is for.
#[derive(Clone, Default)]
pub struct Types {
    words: Vec<u32>,
    count: u32,
    strings: Vec<u8>,
}

impl Types {
    /// No types yet, and these strings, for records that name them by their places.
    pub fn with_strings(strings: &[u8]) -> Types {
        Types { strings: strings.to_vec(), ..Types::default() }
    }

    /// Adds a string. Returns its place.
    pub fn string(&mut self, text: &str) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if text.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// Adds the words of a record.
    pub fn add(&mut self, words: &[u32]) -> u32 {
        self.words.extend(words);
        self.count += 1;
        self.count
    }

    /// Adds an unsigned integer.
    pub fn int(&mut self, name: &str, size: u32) -> u32 {
        self.encoded_int(name, size, 0)
    }

    /// Adds an integer; `encoding` is 1 for a signed one, 4 for `bool`.
    pub fn encoded_int(&mut self, name: &str, size: u32, encoding: u32) -> u32 {
        let name = self.string(name);
        self.add(&[name, 1 << 24, size, (encoding << 24) | (size * 8)])
    }

    /// Adds a float.
    pub fn float(&mut self, name: &str, size: u32) -> u32 {
        let name = self.string(name);
        self.add(&[name, 16 << 24, size])
    }

    /// Adds an array. What it is indexed by is as its elements.
    pub fn array(&mut self, element: u32, len: u32) -> u32 {
        self.add(&[0, 3 << 24, 0, element, element, len])
    }

    /// Adds what is around another type: kind 2 is a pointer, 8 a typedef, 9 `volatile`, 10 `const`, 11 `restrict`.
    pub fn around(&mut self, kind: u32, name: &str, to: u32) -> u32 {
        let name = self.string(name);
        self.add(&[name, kind << 24, to])
    }

    /// Adds a struct of members with name, type and offset in bits. Kind 4 is a struct, 5 a union, 1 << 7 more one whose offsets hold
    /// the widths of bitfields in their upper 8 bits.
    pub fn structure(&mut self, kind: u32, name: &str, size: u32, members: &[(&str, u32, u32)]) -> u32 {
        let mut words = vec![self.string(name), kind << 24 | members.len() as u32, size];
        for (name, of, offset) in members {
            words.extend([self.string(name), *of, *offset]);
        }
        self.add(&words)
    }

    /// Adds an unsigned enum of up to 4 bytes.
    pub fn enumeration(&mut self, name: &str, size: u32, values: &[(&str, u32)]) -> u32 {
        let mut words = vec![self.string(name), 6 << 24 | values.len() as u32, size];
        for (name, value) in values {
            words.extend([self.string(name), *value]);
        }
        self.add(&words)
    }

    /// Adds an enum of up to 8 bytes that says whether it is signed.
    pub fn enumeration64(&mut self, name: &str, size: u32, signed: bool, values: &[(&str, u64)]) -> u32 {
        let mut words = vec![self.string(name), u32::from(signed) << 31 | 19 << 24 | values.len() as u32, size];
        for (name, value) in values {
            words.extend([self.string(name), *value as u32, (*value >> 32) as u32]);
        }
        self.add(&words)
    }

    /// Adds a global variable.
    pub fn variable(&mut self, name: &str, of: u32) -> u32 {
        let name = self.string(name);
        self.add(&[name, 14 << 24, of, 1])
    }

    /// Adds a section of variables with their offsets.
    pub fn section(&mut self, name: &str, size: u32, variables: &[(u32, u32)]) {
        let mut words = vec![self.string(name), 15 << 24 | variables.len() as u32, size];
        for (variable, offset) in variables {
            words.extend([*variable, *offset, 0]);
        }
        self.add(&words);
    }

    /// All of it, behind a header.
    pub fn bytes(&self) -> Vec<u8> {
        // The string at 0 is the empty one, which names what has no name.
        let strings = if self.strings.is_empty() { &[0] } else { self.strings.as_slice() };
        let types = self.words.len() as u32 * 4;
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        for word in [24, 0, types, types, strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(self.words.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend(strings);
        bytes
    }
}
