//! From bytes to a tree.

use super::Value;
use crate::types::{Bits, Btf, Int, Kind, Order, Part, TypeId};

/// The value of a part, whose bytes start at the first of `bytes`. There are as many as the part is long.
pub(crate) fn decode(btf: &Btf, part: Part, bytes: &[u8]) -> Value {
    match part.bits {
        Some(bits) => decode_bits(btf, part.of, bits, bytes),
        None => decode_whole(btf, part.of, bytes),
    }
}

fn decode_whole(btf: &Btf, of: TypeId, bytes: &[u8]) -> Value {
    let size = btf.size(of).unwrap_or(0) as usize;
    let bytes = &bytes[..size.min(bytes.len())];
    let integer = |bytes| btf.order().integer(bytes);
    match btf.kind(of) {
        Kind::Int(Int { bool: true, .. }) => Value::Bool(bytes.iter().any(|&byte| byte != 0)),
        Kind::Int(Int { signed, bits, .. }) => {
            let word = integer(bytes);
            // An integer type of the old kind that is narrower than its storage, outside of a struct.
            let word = extract(word, btf.order(), bytes.len(), *bits);
            if *signed { Value::Int(sign_extend(word, bits.len)) } else { Value::Uint(word) }
        }
        Kind::Enum { signed, .. } => enumerator(btf, of, integer(bytes), size as u32 * 8, *signed),
        Kind::Pointer { .. } => Value::Pointer(integer(bytes) as u64),
        Kind::Float { size: 4 } => Value::F32(f32::from_bits(integer(bytes) as u32)),
        Kind::Float { size: 8 } => Value::F64(f64::from_bits(integer(bytes) as u64)),
        Kind::Array { element, len } => decode_array(btf, *element, *len, bytes),
        Kind::Struct { members, .. } => {
            let member = |(name, part): (&str, Part)| {
                (name.to_owned(), decode(btf, part, bytes.get(part.offset as usize..).unwrap_or_default()))
            };
            Value::Struct(btf.named_parts(members).into_iter().map(member).collect())
        }
        Kind::Variable { of, .. } => decode_whole(btf, *of, bytes),
        _ => Value::Bytes(bytes.to_vec()),
    }
}

fn decode_array(btf: &Btf, element: TypeId, len: u32, bytes: &[u8]) -> Value {
    if btf.is_char(element) {
        // One that is full to its last byte could not be written back as text.
        let text = bytes.iter().position(|&byte| byte == 0).map(|end| std::str::from_utf8(&bytes[..end]));
        if let Some(Ok(text)) = text {
            return Value::Text(text.to_owned());
        }
    }
    match btf.size(element) {
        // Elements without bytes, of which there may be any number.
        None | Some(0) => Value::Array(Vec::new()),
        Some(size) => {
            let elements = bytes.chunks_exact(size as usize).take(len as usize);
            Value::Array(elements.map(|bytes| decode_whole(btf, element, bytes)).collect())
        }
    }
}

fn decode_bits(btf: &Btf, of: TypeId, bits: Bits, bytes: &[u8]) -> Value {
    let len = bit_bytes(bits);
    let bytes = &bytes[..len.min(bytes.len())];
    if bits.len > 64 {
        return Value::Bytes(bytes.to_vec());
    }
    let word = extract(btf.order().integer(bytes), btf.order(), bytes.len(), bits);
    match btf.kind(of) {
        Kind::Int(Int { bool: true, .. }) => Value::Bool(word != 0),
        Kind::Int(Int { signed: true, .. }) => Value::Int(sign_extend(word, bits.len)),
        Kind::Enum { signed, .. } => enumerator(btf, of, word, bits.len, *signed),
        _ => Value::Uint(word),
    }
}

fn enumerator(btf: &Btf, of: TypeId, word: u128, bits: u32, signed: bool) -> Value {
    let value = if signed { sign_extend(word, bits) } else { word as i128 };
    let Kind::Enum { values, .. } = btf.kind(of) else { return Value::Enum { value, name: None } };
    let known = values.iter().find(|known| known.value == value);
    // A bitfield of an enum that is not said to be signed (by compilers before 2022) holds the low bits of a negative one that fits.
    let is_old = |known: i128| !signed && known >> 31 == 1 && sign_extend(word, bits) == (known as u32 as i32).into();
    let known = known.or_else(|| values.iter().find(|known| is_old(known.value)));
    Value::Enum { value, name: known.map(|known| known.name.to_string()) }
}

/// How many bytes the bits are spread over.
pub(super) fn bit_bytes(bits: Bits) -> usize {
    (bits.start + u64::from(bits.len)).div_ceil(8) as usize
}

/// Bits of an integer of `size` bytes.
fn extract(word: u128, order: Order, size: usize, bits: Bits) -> u128 {
    let shifted = word >> order.shift(size, bits);
    if bits.len >= 128 { shifted } else { shifted & ((1 << bits.len) - 1) }
}

fn sign_extend(word: u128, bits: u32) -> i128 {
    let unused = 128 - bits.clamp(1, 128);
    (word << unused) as i128 >> unused
}
