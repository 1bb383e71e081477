//! The structs that `bpfvar.bpf.h` puts around values which change together, as BTF shows them.

use super::{Bits, Btf, Int, Keyword, Kind, Member, Part, Type, TypeId};

/// A struct of `bpfvar.bpf.h`. Offsets are counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapper {
    /// `BPFVAR_SEQ`, with the value in it.
    Seq(Part),
    /// `BPFVAR_SWITCH`, with the first of its two slots.
    Switch(Part),
    /// `BPFVAR_PERCPU`: the value of CPU 0, how far apart they are, and how many.
    PerCpu { first: Part, stride: u64, slots: u32 },
}

impl Wrapper {
    /// The value, or the first one.
    pub(crate) fn value(self) -> Part {
        match self {
            Wrapper::Seq(value) | Wrapper::Switch(value) | Wrapper::PerCpu { first: value, .. } => value,
        }
    }

    /// The macro that declares it.
    pub(crate) fn macro_name(self) -> &'static str {
        match self {
            Wrapper::Seq(_) => "BPFVAR_SEQ",
            Wrapper::Switch(_) => "BPFVAR_SWITCH",
            Wrapper::PerCpu { .. } => "BPFVAR_PERCPU",
        }
    }
}

/// The words at the start of a wrapper, in bytes.
const HEAD: u32 = 24;

/// Whether a type looks like one at first sight.
pub(super) fn may_be_one(ty: &Type) -> bool {
    matches!(&ty.kind, Kind::Struct { members, .. } if members.first().is_some_and(|first| first.name.starts_with("bpfvar_")))
}

impl Btf {
    /// What the type is, if it is one of these. Members are told by name and by shape, so that no other struct passes for one by
    /// chance.
    pub(crate) fn wrapper(&self, id: TypeId) -> Option<Wrapper> {
        if !self.has_wrappers {
            return None;
        }
        let Kind::Struct { keyword: Keyword::Struct, members, .. } = self.kind(id) else { return None };
        match members.as_ref() {
            [head, value]
                if self.is_head(head, "bpfvar_seq", ["begin", "end", "writer"]) && &*value.name == "value" =>
            {
                self.behind_head(value).map(Wrapper::Seq)
            }
            [head, slots] if self.is_head(head, "bpfvar_switch", ["version", "settled", "writer"]) => {
                let array = self.behind_head(slots).filter(|_| &*slots.name == "slots")?;
                let Kind::Array { element, len: 2 } = *self.kind(array.of) else { return None };
                self.is_aligned_in_each(element, element).then_some(Wrapper::Switch(Part { of: element, ..array }))
            }
            [slots] if &*slots.name == "bpfvar_percpu" => {
                let array = self.plain(slots)?;
                let Kind::Array { element, len } = *self.kind(array.of) else { return None };
                let Kind::Struct { keyword: Keyword::Struct, members, size, .. } = self.kind(element) else {
                    return None;
                };
                let [value] = members.as_ref() else { return None };
                let value = self.plain(value).filter(|_| &*value.name == "value")?;
                let first = Part { offset: array.offset + value.offset, ..value };
                let is_aligned = *size > 0 && self.is_aligned_in_each(element, value.of);
                (len > 0 && is_aligned).then_some(Wrapper::PerCpu { first, stride: (*size).into(), slots: len })
            }
            _ => None,
        }
    }

    /// Whether the words of a wrapper in the value are aligned in every slot, if there may be one: in what a compiler made they are.
    fn is_aligned_in_each(&self, slot: TypeId, value: TypeId) -> bool {
        self.size(slot).is_some_and(|size| size % 8 == 0) || !self.holds(value, &|_, ty| may_be_one(ty))
    }

    /// A member with a size, and no bitfield.
    fn plain(&self, member: &Member) -> Option<Part> {
        let part = self.part(member);
        (part.bits.is_none() && self.size(part.of).is_some()).then_some(part)
    }

    /// The same of one that lies behind the words: over them, writing it would change them and they it.
    fn behind_head(&self, member: &Member) -> Option<Part> {
        self.plain(member).filter(|part| part.offset >= u64::from(HEAD))
    }

    /// Whether the member is the words at the start of a wrapper.
    fn is_head(&self, member: &Member, name: &str, words: [&str; 3]) -> bool {
        let part = self.part(member);
        let Kind::Struct { keyword: Keyword::Struct, size: HEAD, members, .. } = self.kind(part.of) else {
            return false;
        };
        let is_word = |(index, (member, name)): (usize, (&Member, &str))| {
            let of_word = matches!(
                self.kind(member.of),
                Kind::Int(Int { size: 8, signed: false, bool: false, bits: Bits { start: 0, len: 64 } })
            );
            let place = Part { of: member.of, offset: index as u64 * 8, bits: None };
            &*member.name == name && of_word && self.part(member) == place
        };
        let at_start = part.offset == 0 && part.bits.is_none() && &*member.name == name;
        at_start && members.len() == 3 && members.iter().zip(words).enumerate().all(is_word)
    }

    /// Whether such a struct is anywhere inside.
    pub(crate) fn holds_wrapper(&self, id: TypeId) -> bool {
        self.has_wrappers && self.holds(id, &|id, _| self.wrapper(id).is_some())
    }

    /// Whether a struct of one of these names is anywhere inside.
    pub(crate) fn holds_struct(&self, id: TypeId, names: &[&str]) -> bool {
        self.holds(id, &|_, ty| names.contains(&&*ty.name))
    }

    /// Whether it is such a struct, or one is anywhere inside.
    fn holds(&self, id: TypeId, is_such: &dyn Fn(TypeId, &Type) -> bool) -> bool {
        let (id, ty) = self.resolve(id);
        match &ty.kind {
            Kind::Array { element: of, .. } | Kind::Variable { of, .. } => self.holds(*of, is_such),
            Kind::Section { variables, .. } => variables.iter().any(|placed| self.holds(placed.variable, is_such)),
            Kind::Struct { members, .. } => {
                is_such(id, ty) || members.iter().any(|member| self.holds(member.of, is_such))
            }
            _ => false,
        }
    }
}
