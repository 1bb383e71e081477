//! The objects.

/// The bytes of an object in a byte order.
macro_rules! object {
    ($name:literal, $big_endian:ident) => {
        if $big_endian {
            include_bytes!(concat!("../objects/big-endian/", $name, ".bpf.o")).as_slice()
        } else {
            include_bytes!(concat!("../objects/", $name, ".bpf.o")).as_slice()
        }
    };
}

/// An object file of `bpf/objects`, by the name of its C source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The example: a program that counts, and globals that steer it.
    Count,
    /// A section `.bss.custom`, which libbpf 1.1 refuses.
    Custom,
    /// Maps that are reached by keys: hashes and a trie.
    Keyed,
    /// A global variable of every kind that BTF knows; all sections; `.kconfig`.
    Kinds,
    /// Array maps with types, and maps that must not be taken for them.
    Maps,
    /// Per-CPU arrays of several entries.
    PerCpu,
    /// Types that are not the same in Rust as in C by themselves; two programs that use different sections.
    Shapes,
    /// A `.data` of 12 bytes, with a `u64` in it.
    Tail,
    /// Values that change together, declared by `bpfvar.bpf.h`, and the same without.
    Together,
    /// The same, compiled for x86-64 only: it needs no barriers but those that x86-64 has in plain accesses.
    TogetherX86,
    /// Names as in `Count`; two static variables of one name in one section.
    Twin,
}

impl Source {
    /// All of them.
    pub const ALL: [Source; 11] = [
        Source::Count,
        Source::Custom,
        Source::Keyed,
        Source::Kinds,
        Source::Maps,
        Source::PerCpu,
        Source::Shapes,
        Source::Tail,
        Source::Together,
        Source::TogetherX86,
        Source::Twin,
    ];

    /// The object's name, which libbpf puts before the names of its sections.
    pub fn name(self) -> &'static str {
        match self {
            Source::Count => "count",
            Source::Custom => "custom",
            Source::Keyed => "keyed",
            Source::Kinds => "kinds",
            Source::Maps => "maps",
            Source::PerCpu => "percpu",
            Source::Shapes => "shapes",
            Source::Tail => "tail",
            Source::Together => "together",
            Source::TogetherX86 => "together-x86",
            Source::Twin => "twin",
        }
    }

    /// The ELF file in this machine's byte order.
    pub fn bytes(self) -> &'static [u8] {
        self.bytes_in(cfg!(target_endian = "big"))
    }

    pub(crate) fn bytes_in(self, big_endian: bool) -> &'static [u8] {
        match self {
            Source::Count => object!("count", big_endian),
            Source::Custom => object!("custom", big_endian),
            Source::Keyed => object!("keyed", big_endian),
            Source::Kinds => object!("kinds", big_endian),
            Source::Maps => object!("maps", big_endian),
            Source::PerCpu => object!("percpu", big_endian),
            Source::Shapes => object!("shapes", big_endian),
            Source::Tail => object!("tail", big_endian),
            Source::Together => object!("together", big_endian),
            Source::TogetherX86 => include_bytes!("../objects/together-x86.bpf.o"),
            Source::Twin => object!("twin", big_endian),
        }
    }

    /// The first kernel that takes it: global functions in BTF need 5.6, atomics that fetch 5.12.
    pub fn needs(self) -> (u32, u32) {
        match self {
            Source::Keyed | Source::Together => (5, 12),
            _ => (5, 6),
        }
    }

    /// The first kernel that takes its types as they are declared: floats need 5.13, 64-bit enums 6.0. What libbpf puts in
    /// their place before has neither values nor names for them.
    pub fn types_need(self) -> (u32, u32) {
        match self {
            Source::Kinds => (6, 0),
            Source::Count | Source::Shapes => (5, 13),
            _ => self.needs(),
        }
    }
}
