//! Types for those who walk them from outside: generators of code, and tools that show types. Read-only.

use std::fmt;

use super::{Alias, Bits, Btf, Int, Keyword, Kind as Inner, TypeId, Wrapper};

/// A type in BTF. A handle that borrows the [`Btf`]; copied freely.
///
/// ```no_run
/// use bpfvar::Globals;
/// use bpfvar::btf::Kind;
///
/// let config = Globals::by_name("count")?.var("config")?;
/// println!("{} is {} bytes long", config.ty(), config.ty().size().unwrap_or(0)); // struct config is 48 bytes long
/// for member in config.ty().members() {
///     match member.ty.resolve().kind() {
///         Kind::Enum { .. } => println!("{}: one of {:?}", member.name, member.ty.enumerators()),
///         _ => println!("{} at byte {}", member.ty.declaration(member.name), member.offset),
///     }
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Type<'b> {
    btf: &'b Btf,
    id: TypeId,
}

/// What a [`Type`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind<'b> {
    /// An integer of 1, 2, 4, 8 or 16 bytes.
    Int {
        /// Whether it can be negative.
        signed: bool,
    },
    /// C's `bool`.
    Bool,
    /// C's `char`, of which arrays are text. `signed char` and `unsigned char` are integers.
    Char,
    /// A number with a fraction.
    Float,
    /// A pointer to this.
    Pointer(Type<'b>),
    /// So many elements, one behind the other.
    Array {
        /// The type of each.
        element: Type<'b>,
        /// How many there are. 0 for a flexible array.
        len: u32,
    },
    /// A struct with its [`members`](Type::members).
    Struct,
    /// A union of its [`members`](Type::members), which share their bytes.
    Union,
    /// An integer with names for some of its values, the [`enumerators`](Type::enumerators).
    Enum {
        /// Whether it can be negative.
        signed: bool,
    },
    /// Another name for this.
    Typedef(Type<'b>),
    /// This with `const`, `volatile`, `restrict` or a tag.
    Qualified(Type<'b>),
    /// `BPFVAR_SEQ` of this: [`Seq`](crate::Seq).
    Seq(Type<'b>),
    /// `BPFVAR_SWITCH` of this: [`Switch`](crate::Switch).
    Switch(Type<'b>),
    /// `BPFVAR_PERCPU` of this: [`PerCpu`](crate::PerCpu).
    PerCpu(Type<'b>),
    /// Anything else: `void`, a function, a struct that is only declared, an integer with fewer bits than its bytes have.
    Other,
}

/// A member of a struct or a union.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member<'b> {
    /// Its name. Empty for an anonymous struct or union, whose members count as those of what it is in.
    pub name: &'b str,
    /// Its type. For a bitfield, the type of which it takes some bits.
    pub ty: Type<'b>,
    /// Where it starts, in bytes from the start of the struct. For a bitfield, where its first byte is.
    pub offset: u64,
    /// The bits of a bitfield, counted from its first byte. `None` for any other member.
    pub bits: Option<Bits>,
}

/// A section of variables, as an object file has it: `.bss`, `.data.limits`, `.maps`.
#[derive(Clone, Copy, Debug)]
pub struct Section<'b> {
    btf: &'b Btf,
    id: TypeId,
}

/// A variable of a [`Section`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SectionVar<'b> {
    /// Its name; `func.local` for a static variable of a function.
    pub name: &'b str,
    /// Its type.
    pub ty: Type<'b>,
    /// Where it starts, in bytes from the start of the section. In an object file that was not linked, 0 for what is global.
    pub offset: u32,
    /// How it was declared.
    pub linkage: Linkage,
}

/// How a variable was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Linkage {
    /// `static`, or made so by `__hidden`.
    Static,
    /// Visible outside of its object.
    Global,
    /// `extern`. The variables of `.kconfig` are so in C; libbpf makes them global before it loads them.
    Extern,
}

impl Linkage {
    pub(crate) fn of(number: u32) -> Linkage {
        match number {
            0 => Linkage::Static,
            1 => Linkage::Global,
            _ => Linkage::Extern,
        }
    }
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Linkage::Static => "static",
            Linkage::Global => "global",
            Linkage::Extern => "extern",
        })
    }
}

impl Btf {
    /// Returns the sections of variables. A program's own BTF has them; the kernel's has others.
    pub fn sections(&self) -> impl Iterator<Item = Section<'_>> {
        let is_section = |id: &TypeId| matches!(self.get(*id).kind, Inner::Section { .. });
        self.ids().filter(is_section).map(|id| Section { btf: self, id })
    }

    /// Returns all types in the order of their numbers, without variables, sections and functions.
    pub fn types(&self) -> impl Iterator<Item = Type<'_>> {
        let is_type = |id: &TypeId| {
            let kind = &self.get(*id).kind;
            !matches!(
                kind,
                Inner::Variable { .. } | Inner::Section { .. } | Inner::Function { .. } | Inner::DeclTag | Inner::Void
            )
        };
        self.ids().filter(is_type).map(|id| self.ty(id))
    }

    pub(crate) fn ty(&self, id: TypeId) -> Type<'_> {
        Type { btf: self, id }
    }

    fn ids(&self) -> impl Iterator<Item = TypeId> + use<> {
        (1..self.types.len() as u32).map(TypeId)
    }
}

impl<'b> Type<'b> {
    /// Returns its name: that of a struct, an enum, a typedef or a base type. Empty for what has none.
    pub fn name(self) -> &'b str {
        &self.btf.get(self.id).name
    }

    /// Returns what it is. See [`Type::resolve`] for what is behind a typedef.
    pub fn kind(self) -> Kind<'b> {
        let ty = |id| self.btf.ty(id);
        match self.btf.get(self.id).kind {
            Inner::Int(Int { size, bits, .. }) if (bits != Bits { start: 0, len: size * 8 }) => Kind::Other,
            Inner::Int(_) if self.btf.is_char(self.id) => Kind::Char,
            Inner::Int(Int { bool: true, .. }) => Kind::Bool,
            Inner::Int(Int { signed, .. }) => Kind::Int { signed },
            Inner::Float { .. } => Kind::Float,
            Inner::Pointer { to } => Kind::Pointer(ty(to)),
            Inner::Array { element, len } => Kind::Array { element: ty(element), len },
            Inner::Struct { keyword, .. } => match (self.btf.wrapper(self.id), keyword) {
                (Some(Wrapper::Seq(value)), _) => Kind::Seq(ty(value.of)),
                (Some(Wrapper::Switch(value)), _) => Kind::Switch(ty(value.of)),
                (Some(Wrapper::PerCpu { first, .. }), _) => Kind::PerCpu(ty(first.of)),
                (None, Keyword::Struct) => Kind::Struct,
                (None, Keyword::Union) => Kind::Union,
            },
            Inner::Enum { signed, .. } => Kind::Enum { signed },
            Inner::Alias { to, how: Alias::Typedef } => Kind::Typedef(ty(to)),
            Inner::Alias { to, .. } => Kind::Qualified(ty(to)),
            _ => Kind::Other,
        }
    }

    /// Returns the type that is meant, past typedefs and qualifiers.
    pub fn resolve(self) -> Type<'b> {
        Type { id: self.btf.resolve(self.id).0, ..self }
    }

    /// Returns its size in bytes. `None` for what has none: `void`, a function, a struct that is only declared.
    pub fn size(self) -> Option<u64> {
        self.btf.size(self.id)
    }

    /// Returns the members of a struct or a union, in the order in which they are declared. Empty for any other type.
    pub fn members(self) -> impl Iterator<Item = Member<'b>> {
        let Type { btf, id } = self;
        let members: &[super::Member] = match btf.kind(id) {
            Inner::Struct { members, .. } => members,
            _ => &[],
        };
        members.iter().map(move |member| {
            let part = btf.part(member);
            Member { name: &member.name, ty: btf.ty(part.of), offset: part.offset, bits: part.bits }
        })
    }

    /// Returns the names and numbers of an enum, in the order in which they are declared. Empty for any other type.
    pub fn enumerators(self) -> Vec<(&'b str, i128)> {
        match self.btf.kind(self.id) {
            Inner::Enum { values, .. } => values.iter().map(|known| (&*known.name, known.value)).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the declaration of something of this type as C writes it: `__u32 hist[16]`.
    pub fn declaration(self, name: &str) -> String {
        self.btf.declaration(self.id, name)
    }
}

/// Whether both are one type of one [`Btf`] object in memory. Types of the same content may differ.
impl PartialEq for Type<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.btf.types.as_ptr(), other.btf.types.as_ptr())
    }
}

impl Eq for Type<'_> {}

impl std::hash::Hash for Type<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.btf.types.as_ptr().hash(state);
        self.id.hash(state);
    }
}

/// Prints it as C names it, as in a cast: `struct config`, `__u32 [4]`.
impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.btf.type_name(self.id))
    }
}

impl fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'b> Section<'b> {
    /// Returns its name, with its dot.
    pub fn name(self) -> &'b str {
        &self.btf.get(self.id).name
    }

    /// Returns its size in bytes. In an object file that was not linked, 0.
    pub fn size(self) -> u64 {
        self.btf.size(self.id).unwrap_or(0)
    }

    /// Returns its variables, in the order of the BTF.
    pub fn vars(self) -> impl Iterator<Item = SectionVar<'b>> {
        let Section { btf, id } = self;
        let placed: &[super::Placed] = match &btf.get(id).kind {
            Inner::Section { variables, .. } => variables,
            _ => &[],
        };
        placed.iter().filter_map(move |placed| {
            let variable = btf.get(placed.variable);
            let Inner::Variable { of, linkage } = variable.kind else { return None };
            let (ty, linkage) = (btf.ty(of), Linkage::of(linkage));
            Some(SectionVar { name: &variable.name, ty, offset: placed.offset, linkage })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::emit::assemble;
    use super::*;

    /// `typedef enum { a = -1 } b; struct c { int a; b b : 3; struct { const int c; }; }; static struct c a;`, in `.data`.
    fn btf() -> Btf {
        let (int, nameless, typedef, constant, anonymous, structure) = (1, 2, 3, 4, 5, 6);
        let words = [
            [7, 1 << 24, 4, 1 << 24 | 32].as_slice(),
            &[0, 1 << 31 | 6 << 24 | 1, 4, 1, -1_i32 as u32],
            &[3, 8 << 24, nameless],
            &[0, 10 << 24, int],
            &[0, 4 << 24 | 1, 4, 5, constant, 0],
            &[5, 1 << 31 | 4 << 24 | 3, 12, 1, int, 0, 3, typedef, 3 << 24 | 33, 0, anonymous, 64],
            &[1, 14 << 24, structure, 0],
            &[11, 15 << 24 | 1, 12, 7, 0, 12],
        ];
        let types: Vec<u8> = words.concat().iter().flat_map(|word: &u32| word.to_ne_bytes()).collect();
        Btf::parse(&assemble(&types, b"\0a\0b\0c\0int\0.data\0")).unwrap()
    }

    #[test]
    fn sections_variables_members_and_enumerators_are_found() {
        let btf = btf();
        let sections: Vec<_> = btf.sections().collect();
        let [data] = sections.as_slice() else { panic!("{sections:?}") };
        assert_eq!((data.name(), data.size()), (".data", 12));
        let vars: Vec<_> = data.vars().collect();
        let [var] = vars.as_slice() else { panic!("{vars:?}") };
        assert_eq!((var.name, var.offset, var.linkage), ("a", 0, Linkage::Static));
        assert_eq!((var.ty.name(), var.ty.kind(), var.ty.size()), ("c", Kind::Struct, Some(12)));
        let members: Vec<_> = var.ty.members().collect();
        let [a, b, anonymous] = members.as_slice() else { panic!("{members:?}") };
        assert_eq!((a.name, a.ty.kind(), a.offset, a.bits), ("a", Kind::Int { signed: true }, 0, None));
        assert_eq!((b.name, b.offset, b.bits), ("b", 4, Some(Bits { start: 1, len: 3 })));
        let Kind::Typedef(nameless) = b.ty.kind() else { panic!("{:?}", b.ty.kind()) };
        assert_eq!((b.ty.name(), b.ty.resolve()), ("b", nameless));
        assert_eq!((nameless.kind(), b.ty.enumerators()), (Kind::Enum { signed: true }, vec![("a", -1)]));
        assert_eq!((anonymous.name, anonymous.offset, anonymous.ty.size()), ("", 8, Some(4)));
        let inner: Vec<_> = anonymous.ty.members().collect();
        assert_eq!(inner[0].ty.kind(), Kind::Qualified(a.ty));
        assert_eq!(a.ty.members().count(), 0);
        assert_eq!((a.ty.enumerators(), a.ty.declaration("x")), (vec![], "int x".to_owned()));
    }

    #[test]
    fn a_type_is_what_it_is_in_one_btf() {
        let (one, other) = (btf(), btf());
        let first = |btf: &Btf| btf.types().next().map(|ty| ty.to_string());
        assert_eq!(first(&one), Some("int".to_owned()));
        assert_eq!(one.types().count(), 6);
        assert!(one.types().eq(one.clone().types()));
        assert!(one.types().ne(other.types()));
    }
}
