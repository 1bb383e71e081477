//! What BTF says: types, members, variables and sections, as plain data. No kernel object, no memory.
//!
//! Once parsed, everything that a walk over types relies on has been checked: references exist, chains of typedefs and arrays
//! end, nothing contains itself, sizes are at most 2^32, members lie inside their structs, bitfields are integers or enums. So a
//! walk needs no checks of its own. How much lies over a type's bytes is [`Btf::content`], and who reads all of it asks first.

mod declare;
mod emit;
pub(crate) mod explore;
mod order;
mod parse;
mod unit;
mod wrapper;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use emit::{Description, Emitter, Encoding};
pub(crate) use order::Order;
pub(crate) use unit::{Unit, Units, pieces, put_masked};
pub(crate) use wrapper::Wrapper;

/// Types in the BPF Type Format, parsed: what the names, types and places of variables are taken from. A handle; cloning it is
/// cheap. Format: the kernel's [`Documentation/bpf/btf.rst`](https://docs.kernel.org/bpf/btf.html).
///
/// ```no_run
/// use bpfvar::{Btf, Map, TypedMap};
///
/// // Without CAP_SYS_ADMIN: a pin that may be opened, and the BTF from somewhere else.
/// let btf = Btf::parse(&std::fs::read("count.btf").expect("a file"))?;
/// let data = TypedMap::with_btf(Map::from_pin("/sys/fs/bpf/count_data")?, btf)?;
/// data.var("sampling")?.set(100)?;
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
pub struct Btf {
    types: Arc<[Type]>,
    /// Whether any struct may be one of `bpfvar.bpf.h`: most have none, and then nothing is looked for.
    has_wrappers: bool,
    order: Order,
}

/// Number of a type in its BTF. 0 is `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TypeId(pub(crate) u32);

#[derive(Debug)]
pub(crate) struct Type {
    /// Empty for types without one.
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Void,
    Int(Int),
    Float { size: u32 },
    Pointer { to: TypeId },
    Array { element: TypeId, len: u32 },
    Struct { keyword: Keyword, size: u32, members: Box<[Member]>, search: Search },
    Enum { size: u32, signed: bool, values: Box<[Enumerator]> },
    Forward { keyword: Keyword },
    Alias { to: TypeId, how: Alias },
    Function { proto: TypeId },
    Prototype { returns: TypeId, parameters: Box<[TypeId]> },
    Variable { of: TypeId, linkage: u32 },
    Section { size: u32, variables: Box<[Placed]> },
    DeclTag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Int {
    pub(crate) size: u32,
    pub(crate) signed: bool,
    pub(crate) bool: bool,
    /// Where its bits start and how many there are: fewer than `size` only in bitfields as compilers before 2019 wrote them.
    pub(crate) bits: Bits,
}

/// The bits of a bitfield, counted from the lowest address: on a little-endian machine from the lowest bit of the first byte, on
/// another from its highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Bits {
    /// The first.
    pub start: u64,
    /// How many there are.
    pub len: u32,
}

/// How the members at a byte are found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Search {
    /// Whether each lies behind the one before it, as in C: then one is found by its place. Else all are asked.
    in_order: bool,
    /// How many are asked at most, with those in them.
    asked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Struct,
    Union,
}

impl Keyword {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Keyword::Struct => "struct",
            Keyword::Union => "union",
        }
    }

    /// Whether its members share their bytes.
    pub(crate) fn is_union(self) -> bool {
        self == Keyword::Union
    }
}

#[derive(Debug)]
pub(crate) struct Member {
    /// Empty for anonymous structs and unions.
    pub(crate) name: Box<str>,
    pub(crate) of: TypeId,
    /// In bits from the start of the struct.
    pub(crate) bit_offset: u64,
    /// 0 for a member that is no bitfield.
    pub(crate) bits: u32,
}

#[derive(Debug)]
pub(crate) struct Enumerator {
    pub(crate) name: Box<str>,
    pub(crate) value: i128,
}

/// What stands between a name and the type that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    Typedef,
    Const,
    Volatile,
    Restrict,
    TypeTag,
}

/// A variable in its section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) variable: TypeId,
    /// In bytes from the start of the section.
    pub(crate) offset: u32,
}

/// A type with the bits that a bitfield takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) of: TypeId,
    /// In bytes from the start of whatever is looked into. For a bitfield, that of its first byte.
    pub(crate) offset: u64,
    /// For a bitfield: its bits, counted from `offset`.
    pub(crate) bits: Option<Bits>,
}

/// About the memory of a decoded scalar in bytes, and of a name without its text.
const NODE: u64 = 64;
const NAME: u64 = 32;

impl Btf {
    /// The byte order of the values that it describes, which is its own.
    pub(crate) fn order(&self) -> Order {
        self.order
    }

    pub(crate) fn get(&self, id: TypeId) -> &Type {
        // References were checked when parsing; ids from outside are checked by `contains`.
        self.types.get(id.0 as usize).unwrap_or(&self.types[0])
    }

    /// The id of the kernel's info, if the BTF has such a type.
    pub(crate) fn id(&self, id: u32) -> Option<TypeId> {
        (id != 0 && (id as usize) < self.types.len()).then_some(TypeId(id))
    }

    /// The type that is meant, past typedefs, qualifiers and tags.
    pub(crate) fn resolve(&self, mut id: TypeId) -> (TypeId, &Type) {
        loop {
            let ty = self.get(id);
            match ty.kind {
                Kind::Alias { to, .. } => id = to,
                _ => return (id, ty),
            }
        }
    }

    /// The kind of the type that is meant.
    pub(crate) fn kind(&self, id: TypeId) -> &Kind {
        &self.resolve(id).1.kind
    }

    /// In bytes; None for what has no size or too great a one.
    pub(crate) fn size(&self, id: TypeId) -> Option<u64> {
        match *self.kind(id) {
            Kind::Int(Int { size, .. })
            | Kind::Float { size }
            | Kind::Struct { size, .. }
            | Kind::Enum { size, .. }
            | Kind::Section { size, .. } => Some(size.into()),
            Kind::Pointer { .. } => Some(8),
            Kind::Array { element, len } => self.size(element)?.checked_mul(len.into()),
            Kind::Variable { of, .. } => self.size(of),
            _ => None,
        }
    }

    /// Whether it is C's `char`, of which arrays are text. `unsigned char` and `signed char` are numbers.
    pub(crate) fn is_char(&self, id: TypeId) -> bool {
        let ty = self.resolve(id).1;
        matches!(ty.kind, Kind::Int(Int { size: 1, .. })) && &*ty.name == "char"
    }

    /// A member as a part of its struct.
    pub(crate) fn part(&self, member: &Member) -> Part {
        // Before 2019 a bitfield's width stood in an integer type of its own.
        let (start, len) = match *self.kind(member.of) {
            _ if member.bits != 0 => (member.bit_offset, member.bits),
            Kind::Int(Int { size, bits, .. }) if bits.len != size * 8 || member.bit_offset % 8 != 0 => {
                (member.bit_offset + bits.start, bits.len)
            }
            _ => return Part { of: member.of, offset: member.bit_offset / 8, bits: None },
        };
        Part { of: member.of, offset: start / 8, bits: Some(Bits { start: start % 8, len }) }
    }

    /// The members with the names under which C finds them: those of anonymous structs and unions in place of these.
    pub(crate) fn named_parts<'a>(&'a self, members: &'a [Member]) -> Vec<(&'a str, Part)> {
        let mut parts = Vec::with_capacity(members.len());
        self.add_named_parts(members, 0, &mut parts);
        parts
    }

    fn add_named_parts<'a>(&'a self, members: &'a [Member], base: u64, parts: &mut Vec<(&'a str, Part)>) {
        for member in members {
            let part = self.part(member);
            let offset = base + part.offset;
            match self.kind(member.of) {
                Kind::Struct { members, .. } if member.name.is_empty() && part.bits.is_none() => {
                    self.add_named_parts(members, offset, parts);
                }
                _ => parts.push((&member.name, Part { offset, ..part })),
            }
        }
    }

    /// About how many bytes of memory a value of this type takes when it is decoded: a node for each scalar and each name, where
    /// members that overlap count each time. What takes time counts as well: the names of an enum, among which one is looked for.
    pub(crate) fn content(&self, id: TypeId) -> u64 {
        self.content_of(id, &mut HashMap::new())
    }

    fn content_of(&self, id: TypeId, known: &mut HashMap<TypeId, u64>) -> u64 {
        let (id, ty) = self.resolve(id);
        if let Some(content) = known.get(&id) {
            return *content;
        }
        let content = match &ty.kind {
            // Text, or an array of numbers at the worst.
            Kind::Array { element, len } if self.size(*element) != Some(0) => {
                self.content_of(*element, known).saturating_mul((*len).into()).saturating_add(NODE)
            }
            Kind::Struct { members, .. } => {
                let one = |sum: u64, member: &Member| {
                    let name = NAME + member.name.len() as u64;
                    sum.saturating_add(name).saturating_add(self.content_of(member.of, known))
                };
                members.iter().fold(NODE, one)
            }
            Kind::Variable { of, .. } => self.content_of(*of, known),
            // Each one is looked for among the enumerators, and has the name of one.
            Kind::Enum { values, .. } => {
                let longest = values.iter().map(|known| known.name.len()).max().unwrap_or(0);
                NODE + (longest + values.len()) as u64
            }
            _ => NODE,
        };
        // Only what takes long to count is worth remembering: a scalar takes no table.
        const MANY: usize = 64;
        let is_worth = match &ty.kind {
            Kind::Array { .. } | Kind::Struct { .. } => true,
            Kind::Enum { values, .. } => values.len() > MANY,
            _ => false,
        };
        if is_worth {
            known.insert(id, content);
        }
        content
    }

    /// The names and numbers of an enum.
    pub(crate) fn enumerators(&self, id: TypeId) -> Vec<(&str, i128)> {
        match self.kind(id) {
            Kind::Enum { values, .. } => values.iter().map(|known| (&*known.name, known.value)).collect(),
            _ => Vec::new(),
        }
    }

    /// The section with this name.
    pub(crate) fn section(&self, name: &str) -> Option<TypeId> {
        let found = self.types.iter().position(|ty| matches!(ty.kind, Kind::Section { .. }) && &*ty.name == name)?;
        Some(TypeId(found as u32))
    }

    /// The members of the struct of this name, with those of anonymous ones.
    pub(crate) fn members_of(&self, name: &str) -> Option<Vec<(&str, Part)>> {
        self.types.iter().find_map(|ty| match &ty.kind {
            Kind::Struct { keyword: Keyword::Struct, members, .. } if &*ty.name == name => {
                Some(self.named_parts(members))
            }
            _ => None,
        })
    }

    /// The names and numbers of the enum of this name.
    pub(crate) fn enumerators_of(&self, name: &str) -> Option<Vec<(&str, i128)>> {
        self.types.iter().find_map(|ty| match &ty.kind {
            Kind::Enum { values, .. } if !name.is_empty() && &*ty.name == name => {
                Some(values.iter().map(|known| (&*known.name, known.value)).collect())
            }
            _ => None,
        })
    }

    /// The id of the function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        let found = self.types.iter().position(|ty| matches!(ty.kind, Kind::Function { .. }) && &*ty.name == name);
        found.and_then(|id| u32::try_from(id).ok())
    }

    /// The name of a function.
    pub(crate) fn function_name(&self, id: u32) -> Option<&str> {
        let ty = self.get(self.id(id)?);
        matches!(ty.kind, Kind::Function { .. }).then_some(&*ty.name)
    }
}

impl std::fmt::Debug for Btf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Btf").field("types", &(self.types.len() - 1)).finish_non_exhaustive()
    }
}
