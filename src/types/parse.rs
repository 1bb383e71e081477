//! Bytes to types. The format is that of the kernel's Documentation/bpf/btf.rst and include/uapi/linux/btf.h.

use std::fmt::Write;
use std::sync::Arc;

use super::wrapper;
use super::{Alias, Bits, Btf, Enumerator, Int, Keyword, Kind, Member, Order, Placed, Search, Type, TypeId};
use crate::error::{BtfFault, Error, Object, Plain, Result};

const MAGIC: u16 = 0xeb9f;
/// The kernel's own limit for nesting is 32.
const MAX_DEPTH: u32 = 64;
/// In how many ways something in a struct may be reached, each array counted as one element.
const MAX_WAYS: u64 = 1 << 14;
/// The kernel's own limit for names.
const MAX_NAME: usize = 512;
/// All names together, of which many may be one string, may take so many times the length of the BTF.
const MAX_NAMES: usize = 16;

impl Btf {
    /// Parses BTF in this machine's byte order, such as `bpf(BPF_OBJ_GET_INFO_BY_FD)` gives. Any bytes may be given.
    ///
    /// # Errors
    ///
    /// [`Error::Btf`] with what is wrong and where.
    pub fn parse(bytes: &[u8]) -> Result<Btf> {
        Btf::parse_in(bytes, Order::NATIVE)
    }

    /// The same in a byte order.
    pub(crate) fn parse_in(bytes: &[u8], order: Order) -> Result<Btf> {
        parse(bytes, order).map_err(|reason| Error::Btf {
            object: Box::new(Object::Btf { id: None }),
            fault: BtfFault::Malformed(reason),
        })
    }
}

type Parsed<T> = std::result::Result<T, String>;

fn parse(bytes: &[u8], order: Order) -> Parsed<Btf> {
    let mut header = Reader { bytes, at: 0, order };
    let magic = header.u16()?;
    if magic == MAGIC.swap_bytes() {
        return Err("it has the other byte order than this machine".to_owned());
    }
    if bytes.starts_with(b"\x7fELF") {
        return Err("it is an ELF file; BTF is what is in its section .BTF".to_owned());
    }
    if magic != MAGIC {
        return Err(format!("it starts with {magic:#06x} instead of {MAGIC:#06x}"));
    }
    let version = header.u8()?;
    if version != 1 {
        return Err(format!("its version is {version}; only 1 is known"));
    }
    let _flags = header.u8()?;
    let header_len = header.u32()?;
    let (type_offset, type_len) = (header.u32()?, header.u32()?);
    let (string_offset, string_len) = (header.u32()?, header.u32()?);
    let part = |name: &str, offset: u32, len: u32| {
        let start = header_len as usize + offset as usize;
        bytes.get(start..start + len as usize).ok_or_else(|| {
            format!("its {name} (offset {start}, {len} bytes) end behind the last of {} bytes", bytes.len())
        })
    };
    let most = MAX_NAMES * bytes.len();
    let mut strings = Strings { bytes: part("strings", string_offset, string_len)?, most, left: most };
    let mut reader = Reader { bytes: part("types", type_offset, type_len)?, at: 0, order };
    let mut types = vec![Type { name: "void".into(), kind: Kind::Void }];
    while reader.at < reader.bytes.len() {
        let id = types.len();
        types.push(read_type(&mut reader, &mut strings).map_err(|reason| format!("type {id}: {reason}"))?);
    }
    check_nesting(&types)?;
    let has_wrappers = types.iter().any(wrapper::may_be_one);
    let mut btf = Btf { types: Arc::from(types), has_wrappers, order };
    check_sizes(&btf)?;
    let searches = btf.searches();
    // Nobody else has them yet.
    for (ty, known) in Arc::get_mut(&mut btf.types).into_iter().flatten().zip(searches) {
        if let Kind::Struct { search, .. } = &mut ty.kind {
            *search = known;
        }
    }
    Ok(btf)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    order: Order,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = bytes.ok_or_else(|| format!("{N} bytes are missing behind byte {}", self.at))?;
        self.at += N;
        Ok(*bytes)
    }

    fn u8(&mut self) -> Parsed<u8> {
        self.take().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Parsed<u16> {
        self.take().map(match self.order {
            Order::Little => u16::from_le_bytes,
            Order::Big => u16::from_be_bytes,
        })
    }

    fn u32(&mut self) -> Parsed<u32> {
        self.take().map(match self.order {
            Order::Little => u32::from_le_bytes,
            Order::Big => u32::from_be_bytes,
        })
    }

    fn id(&mut self) -> Parsed<TypeId> {
        self.u32().map(TypeId)
    }

    /// `count` records; nothing is allocated for more than there are bytes.
    fn records<T>(&mut self, count: u32, mut read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Box<[T]>> {
        (0..count).map(|_| read(self)).collect()
    }
}

/// Where names come from. Each record has its own copy.
struct Strings<'a> {
    bytes: &'a [u8],
    most: usize,
    left: usize,
}

impl Strings<'_> {
    fn name(&mut self, offset: u32) -> Parsed<Box<str>> {
        let rest =
            self.bytes.get(offset as usize..).ok_or_else(|| format!("its name at {offset} is behind the strings"))?;
        let end = rest.iter().position(|&byte| byte == 0).ok_or_else(|| format!("its name at {offset} has no end"))?;
        if end > MAX_NAME {
            return Err(format!("its name has {end} bytes, more than {MAX_NAME}"));
        }
        let name = String::from_utf8_lossy(&rest[..end]);
        // Names are printed, and nothing in them may steer a terminal.
        let mut plain = String::new();
        // A string takes all that is written to it.
        let _ = Plain(&mut plain).write_str(&name);
        let left = self.left.checked_sub(plain.len());
        self.left =
            left.ok_or_else(|| format!("it and those before it have names of more than {} bytes", self.most))?;
        Ok(plain.into())
    }
}

fn read_type(reader: &mut Reader<'_>, strings: &mut Strings<'_>) -> Parsed<Type> {
    let name = reader.u32()?;
    let info = reader.u32()?;
    let (count, number, flag) = (info & 0xffff, info >> 24 & 0x1f, info >> 31 != 0);
    // Tags are texts of any length, and not needed.
    let name = if matches!(number, 17 | 18) { "".into() } else { strings.name(name)? };
    let size = reader.u32()?;
    let to = TypeId(size);
    let kind = match number {
        1 => Kind::Int(read_int(size, reader.u32()?)?),
        2 => Kind::Pointer { to },
        3 => {
            let (element, _index, len) = (reader.id()?, reader.id()?, reader.u32()?);
            Kind::Array { element, len }
        }
        4 | 5 => {
            let keyword = if number == 4 { Keyword::Struct } else { Keyword::Union };
            let members = reader.records(count, |reader| read_member(reader, strings, flag))?;
            Kind::Struct { keyword, size, members, search: Search::default() }
        }
        6 | 19 if !matches!(size, 1 | 2 | 4 | 8) => return Err(format!("an enum of {size} bytes")),
        16 if !matches!(size, 2 | 4 | 8 | 12 | 16) => return Err(format!("a float of {size} bytes")),
        6 => {
            let values = reader.records(count, |reader| Ok((strings.name(reader.u32()?)?, reader.u32()?)))?;
            let signed = flag || looks_signed(size, values.iter().map(|(_, bits)| *bits));
            let value = |bits: u32| if signed { i128::from(bits as i32) } else { bits.into() };
            let values = values.into_iter().map(|(name, bits)| Enumerator { name, value: value(bits) });
            Kind::Enum { size, signed, values: with_names(values) }
        }
        7 => Kind::Forward { keyword: if flag { Keyword::Union } else { Keyword::Struct } },
        8 => Kind::Alias { to, how: Alias::Typedef },
        9 => Kind::Alias { to, how: Alias::Volatile },
        10 => Kind::Alias { to, how: Alias::Const },
        11 => Kind::Alias { to, how: Alias::Restrict },
        12 => Kind::Function { proto: to },
        13 => {
            let parameters = reader.records(count, |reader| {
                let (_name, of) = (reader.u32()?, reader.id()?);
                Ok(of)
            })?;
            Kind::Prototype { returns: to, parameters }
        }
        14 => Kind::Variable { of: to, linkage: reader.u32()? },
        15 => {
            let variables = reader.records(count, |reader| {
                let (variable, offset, _size) = (reader.id()?, reader.u32()?, reader.u32()?);
                Ok(Placed { variable, offset })
            })?;
            Kind::Section { size, variables }
        }
        16 => Kind::Float { size },
        17 => {
            let _component = reader.u32()?;
            Kind::DeclTag
        }
        18 => Kind::Alias { to, how: Alias::TypeTag },
        19 => {
            let values = reader.records(count, |reader| {
                let name = strings.name(reader.u32()?)?;
                let bits = u64::from(reader.u32()?) | u64::from(reader.u32()?) << 32;
                let value = if flag { i128::from(bits as i64) } else { bits.into() };
                Ok(Enumerator { name, value })
            })?;
            Kind::Enum { size, signed: flag, values: with_names(values.into_iter()) }
        }
        other => return Err(format!("its kind {other} is not known here")),
    };
    Ok(Type { name, kind })
}

/// Compilers before 2022 did not say whether an enum is signed. Of less than 4 bytes it shows; of 4, small negative numbers are
/// likelier than as large positive ones, unless others are large and cannot be small negative ones.
fn looks_signed(size: u32, mut values: impl Iterator<Item = u32> + Clone) -> bool {
    const SMALL_NEGATIVE: u32 = -0x10000_i32 as u32;
    match size {
        4 => {
            values.clone().any(|bits| bits >= SMALL_NEGATIVE)
                && !values.any(|bits| (1 << 31..SMALL_NEGATIVE).contains(&bits))
        }
        _ => size < 4 && values.any(|bits| u64::from(bits) >> (size * 8) != 0),
    }
}

/// An enumerator is there to be named. The kernel takes none without a name.
fn with_names(values: impl Iterator<Item = Enumerator>) -> Box<[Enumerator]> {
    values.filter(|value| !value.name.is_empty()).collect()
}

fn read_int(size: u32, word: u32) -> Parsed<Int> {
    let (encoding, start, len) = (word >> 24 & 0xf, word >> 16 & 0xff, word & 0xff);
    if !matches!(size, 1 | 2 | 4 | 8 | 16) {
        return Err(format!("an integer of {size} bytes"));
    }
    if len == 0 || start + len > size * 8 {
        return Err(format!("an integer of {size} bytes with bits {start} to {}", start + len));
    }
    Ok(Int { size, signed: encoding & 1 != 0, bool: encoding & 4 != 0, bits: Bits { start: start.into(), len } })
}

fn read_member(reader: &mut Reader<'_>, strings: &mut Strings<'_>, with_bits: bool) -> Parsed<Member> {
    let (name, of, offset) = (strings.name(reader.u32()?)?, reader.id()?, reader.u32()?);
    let (bit_offset, bits) = if with_bits { (offset & 0xff_ffff, offset >> 24) } else { (offset, 0) };
    Ok(Member { name, of, bit_offset: bit_offset.into(), bits })
}

/// That all references exist and nothing contains itself.
fn check_nesting(types: &[Type]) -> Parsed<()> {
    for (id, ty) in types.iter().enumerate() {
        if let Some(missing) = references(&ty.kind).find(|to| to.0 as usize >= types.len()) {
            return Err(format!("type {id} {:?}: it refers to type {}, of {}", ty.name, missing.0, types.len() - 1));
        }
    }
    let mut known = vec![Nesting::Unknown; types.len()];
    (0..types.len()).try_for_each(|id| nesting(types, &mut known, id, 0).map(drop))
}

/// That sizes are such that no arithmetic with them overflows, and that members lie inside their structs.
fn check_sizes(btf: &Btf) -> Parsed<()> {
    for (id, ty) in btf.types.iter().enumerate() {
        let fault = |reason: String| Err(format!("type {id} {:?}: {reason}", ty.name));
        match &ty.kind {
            Kind::Array { .. } => match btf.size(TypeId(id as u32)) {
                Some(size) if size <= u32::MAX.into() => {}
                _ => return fault("an array that has no size or too great a one".to_owned()),
            },
            Kind::Struct { size, members, .. } => {
                for member in members {
                    if !lies_inside(btf, member, u64::from(*size) * 8) {
                        return fault(format!("its member {:?} does not lie inside its {size} bytes", member.name));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn lies_inside(btf: &Btf, member: &Member, struct_bits: u64) -> bool {
    let part = btf.part(member);
    let Some(size) = btf.size(part.of) else { return false };
    let end = match part.bits {
        Some(bits) => {
            let scalar = matches!(btf.kind(part.of), Kind::Int(_) | Kind::Enum { .. });
            if !scalar || u64::from(bits.len) > size * 8 {
                return false;
            }
            part.offset * 8 + bits.start + u64::from(bits.len)
        }
        None => size.saturating_mul(8).saturating_add(part.offset * 8),
    };
    end <= struct_bits
}

/// Every type that the kind names.
fn references(kind: &Kind) -> impl Iterator<Item = TypeId> + '_ {
    let (one, members, variables, parameters): (Option<TypeId>, &[Member], &[Placed], &[TypeId]) = match kind {
        Kind::Pointer { to } | Kind::Alias { to, .. } => (Some(*to), &[], &[], &[]),
        Kind::Array { element, .. } => (Some(*element), &[], &[], &[]),
        Kind::Struct { members, .. } => (None, members, &[], &[]),
        Kind::Function { proto } => (Some(*proto), &[], &[], &[]),
        Kind::Prototype { returns, parameters } => (Some(*returns), &[], &[], parameters),
        Kind::Variable { of, .. } => (Some(*of), &[], &[], &[]),
        Kind::Section { variables, .. } => (None, &[], variables, &[]),
        _ => (None, &[], &[], &[]),
    };
    one.into_iter()
        .chain(members.iter().map(|member| member.of))
        .chain(variables.iter().map(|placed| placed.variable))
        .chain(parameters.iter().copied())
}

#[derive(Clone, Copy)]
enum Nesting {
    Unknown,
    /// Being looked into: whoever meets it here again contains itself.
    Open,
    Known {
        depth: u32,
        /// How many ways lead to something in it, each array counted as one element. Nested overlapping members could make
        /// this exponential in the bytes of the BTF.
        ways: u64,
    },
}

/// How deeply the type nests, and in how many ways. What is behind a pointer or a prototype is not in it.
fn nesting(types: &[Type], known: &mut [Nesting], id: usize, above: u32) -> Parsed<(u32, u64)> {
    let fault = |reason: &str| format!("type {id} {:?}: {reason}", types[id].name);
    match known[id] {
        Nesting::Known { depth, ways } if above + depth <= MAX_DEPTH => return Ok((depth, ways)),
        Nesting::Unknown if above <= MAX_DEPTH => {}
        Nesting::Open => return Err(fault("it contains itself")),
        Nesting::Known { .. } | Nesting::Unknown => return Err(fault("it is nested too deeply")),
    }
    known[id] = Nesting::Open;
    let (mut depth, mut ways) = (0, 1_u64);
    if !matches!(types[id].kind, Kind::Pointer { .. } | Kind::Function { .. } | Kind::Prototype { .. }) {
        let is_section = |id: usize| matches!(types[id].kind, Kind::Section { .. });
        for part in references(&types[id].kind) {
            if is_section(id) && is_section(part.0 as usize) {
                return Err(fault("a section in a section"));
            }
            let inside = nesting(types, known, part.0 as usize, above + 1)?;
            depth = depth.max(1 + inside.0);
            ways = ways.saturating_add(inside.1);
        }
    }
    if ways > MAX_WAYS && !matches!(types[id].kind, Kind::Section { .. }) {
        return Err(fault("it holds too many members in one another"));
    }
    known[id] = Nesting::Known { depth, ways };
    Ok((depth, ways))
}
