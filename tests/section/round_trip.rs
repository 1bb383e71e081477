//! Any type and any bytes: what is read can be written in every form in which it is printed, and gives the same bits.
//! `PROPTEST_CASES=100000` tries more.

use bpfvar::{Btf, Input, Map, TypedMap, Value};
use bpfvar_testkit::{Types, host};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

/// A type of C.
#[derive(Clone, Debug)]
enum Shape {
    Int {
        size: u32,
        signed: bool,
    },
    Bool,
    Char,
    /// 64 bits wide if the flag says so, and then it tells its sign; the numbers are cut to its size.
    Enum {
        size: u32,
        told: bool,
        signed: bool,
        values: Vec<u64>,
    },
    Float {
        size: u32,
    },
    Pointer,
    Array {
        element: Box<Shape>,
        len: u32,
    },
    Struct(Vec<Member>),
    Union(Vec<Shape>),
    /// A typedef, `volatile`, `const` or `restrict`: kinds 8 to 11.
    Around {
        kind: u32,
        of: Box<Shape>,
    },
}

#[derive(Clone, Debug)]
enum Member {
    Plain(Shape),
    /// Its members are those of what it is in.
    Anonymous(Vec<Member>),
    /// So many bits of an integer, an enum or a `bool`.
    Bits(Shape, u32),
}

fn integer() -> impl Strategy<Value = Shape> {
    (0..5_u32, any::<bool>()).prop_map(|(log, signed)| Shape::Int { size: 1 << log, signed })
}

fn enumeration() -> impl Strategy<Value = Shape> {
    let values = prop::collection::vec(prop_oneof![0..4_u64, any::<u64>(), any::<i32>().prop_map(|n| n as u64)], 0..5);
    (0..4_u32, any::<bool>(), any::<bool>(), values).prop_map(|(log, told, signed, values)| {
        // Of more than 4 bytes there are only those that tell.
        Shape::Enum { size: 1 << log, told: told || log == 3, signed, values }
    })
}

/// What has one form for all of its bits: it may lie over something else.
fn exact() -> impl Strategy<Value = Shape> {
    prop_oneof![3 => integer(), 2 => enumeration(), 1 => Just(Shape::Pointer)]
}

fn bits(inexact: bool) -> impl Strategy<Value = Member> {
    let number = (prop_oneof![integer(), enumeration()], any::<u32>());
    let number = number.prop_map(|(shape, width)| {
        let most = (shape.size() * 8).min(64);
        Member::Bits(shape, 1 + width % most)
    });
    let truth = Just(Member::Bits(if inexact { Shape::Bool } else { Shape::Int { size: 1, signed: false } }, 1));
    prop_oneof![5 => number, 1 => truth]
}

/// Types around those of `leaves`.
fn nested(leaves: BoxedStrategy<Shape>, inexact: bool) -> BoxedStrategy<Shape> {
    let around = move |inner: BoxedStrategy<Shape>| {
        let member = prop_oneof![
            4 => inner.clone().prop_map(Member::Plain),
            2 => bits(inexact),
            1 => prop::collection::vec(inner.clone().prop_map(Member::Plain), 1..3).prop_map(Member::Anonymous),
        ];
        prop_oneof![
            2 => (inner.clone(), 0..4_u32).prop_map(|(of, len)| Shape::Array { element: Box::new(of), len }),
            3 => prop::collection::vec(member, 0..6).prop_map(Shape::Struct),
            1 => (8..12_u32, inner).prop_map(|(kind, of)| Shape::Around { kind, of: Box::new(of) }),
        ]
    };
    leaves.prop_recursive(3, 24, 5, around).boxed()
}

fn shape() -> BoxedStrategy<Shape> {
    let union = prop::collection::vec(nested(exact().boxed(), false), 1..4).prop_map(Shape::Union);
    let text = (1..9_u32).prop_map(|len| Shape::Array { element: Box::new(Shape::Char), len });
    let float = any::<bool>().prop_map(|wide| Shape::Float { size: if wide { 8 } else { 4 } });
    let leaf =
        prop_oneof![6 => exact(), 1 => Just(Shape::Bool), 1 => Just(Shape::Char), 2 => text, 2 => float, 2 => union];
    nested(leaf.boxed(), true)
}

/// Where members lie, as compilers lay them out.
struct Layout<'s> {
    /// Each with its first bit.
    members: Vec<(&'s Member, u32)>,
    size: u32,
    align: u32,
}

fn layout(members: &[Member]) -> Layout<'_> {
    let (mut bit, mut align) = (0, 1);
    let mut placed = Vec::new();
    for member in members {
        let (own, inside, len) = match member {
            Member::Plain(shape) => (shape.align(), shape.align() * 8, shape.size() * 8),
            Member::Anonymous(members) => {
                let Layout { size, align, .. } = layout(members);
                (align, align * 8, size * 8)
            }
            // Not across a border of its type.
            Member::Bits(shape, width) => {
                let unit = shape.size() * 8;
                (shape.align(), if bit % unit + width > unit { unit } else { 1 }, *width)
            }
        };
        align = align.max(own);
        bit = bit.next_multiple_of(inside);
        placed.push((member, bit));
        bit += len;
    }
    Layout { members: placed, size: bit.div_ceil(8).next_multiple_of(align), align }
}

impl Shape {
    fn align(&self) -> u32 {
        match self {
            Shape::Array { element, .. } => element.align(),
            Shape::Struct(members) => layout(members).align,
            Shape::Union(parts) => parts.iter().map(Shape::align).max().unwrap_or(1),
            Shape::Around { of, .. } => of.align(),
            scalar => scalar.size(),
        }
    }

    fn size(&self) -> u32 {
        match self {
            Shape::Int { size, .. } | Shape::Enum { size, .. } | Shape::Float { size } => *size,
            Shape::Bool | Shape::Char => 1,
            Shape::Pointer => 8,
            Shape::Array { element, len } => element.size() * len,
            Shape::Struct(members) => layout(members).size,
            Shape::Union(parts) => parts.iter().map(Shape::size).max().unwrap_or(0).next_multiple_of(self.align()),
            Shape::Around { of, .. } => of.size(),
        }
    }

    /// Adds the type. Names are numbered, so that none is there twice.
    fn declare(&self, types: &mut Types, names: &mut u32) -> u32 {
        match self {
            Shape::Int { size, signed } => types.encoded_int("int", *size, (*signed).into()),
            Shape::Bool => types.encoded_int("_Bool", 1, 4),
            Shape::Char => types.encoded_int("char", 1, 1),
            Shape::Enum { size, told, signed, values } => {
                let named: Vec<(String, u64)> = values.iter().map(|value| (numbered(names), *value)).collect();
                let unused = 64 - size * 8;
                let cut = |value: u64| {
                    if *told && *signed {
                        ((value << unused) as i64 >> unused) as u64
                    } else {
                        value << unused >> unused
                    }
                };
                let wide: Vec<(&str, u64)> = named.iter().map(|(name, value)| (name.as_str(), cut(*value))).collect();
                let narrow: Vec<(&str, u32)> = wide.iter().map(|(name, value)| (*name, *value as u32)).collect();
                if *told {
                    types.enumeration64("e", *size, *signed, &wide)
                } else {
                    types.enumeration("e", *size, &narrow)
                }
            }
            Shape::Float { size } => types.float("float", *size),
            Shape::Pointer => types.around(2, "", 0),
            Shape::Array { element, len } => {
                let element = element.declare(types, names);
                types.array(element, *len)
            }
            Shape::Struct(members) => declare_struct(members, types, names),
            Shape::Union(parts) => {
                let parts: Vec<(String, u32)> =
                    parts.iter().map(|part| (numbered(names), part.declare(types, names))).collect();
                let parts: Vec<(&str, u32, u32)> = parts.iter().map(|(name, of)| (name.as_str(), *of, 0)).collect();
                types.structure(5, "u", self.size(), &parts)
            }
            Shape::Around { kind, of } => {
                let of = of.declare(types, names);
                types.around(*kind, if *kind == 8 { "t" } else { "" }, of)
            }
        }
    }

    /// Leaves in `to` the bits of `from` that are in a value of this type, as it is written; in `mask`, which ones there are.
    fn keep(&self, at: usize, from: &[u8], to: &mut [u8], mask: &mut [u8]) {
        let bytes = at..at + self.size() as usize;
        match self {
            Shape::Array { element, len } => {
                let text = &from[bytes.clone()];
                let end = text.iter().position(|byte| *byte == 0);
                match end.filter(|end| matches!(**element, Shape::Char) && std::str::from_utf8(&text[..*end]).is_ok()) {
                    // What is behind its end is no text.
                    Some(end) => {
                        to[bytes.clone()].fill(0);
                        to[at..at + end].copy_from_slice(&text[..end]);
                        mask[bytes].fill(0xff);
                    }
                    None => (0..*len as usize).for_each(|index| {
                        element.keep(at + index * element.size() as usize, from, to, mask);
                    }),
                }
            }
            Shape::Struct(members) => keep_struct(members, at, from, to, mask),
            Shape::Union(parts) => parts.iter().for_each(|part| part.keep(at, from, to, mask)),
            Shape::Around { of, .. } => of.keep(at, from, to, mask),
            scalar => {
                to[bytes.clone()].copy_from_slice(&from[bytes.clone()]);
                mask[bytes.clone()].fill(0xff);
                let own = &mut to[bytes];
                match scalar {
                    Shape::Bool => own[0] = (own[0] != 0).into(),
                    // NaN is one text.
                    Shape::Float { size: 4 } if f32::from_ne_bytes((&*own).try_into().unwrap()).is_nan() => {
                        own.copy_from_slice(&f32::NAN.to_ne_bytes());
                    }
                    Shape::Float { size: 8 } if f64::from_ne_bytes((&*own).try_into().unwrap()).is_nan() => {
                        own.copy_from_slice(&f64::NAN.to_ne_bytes());
                    }
                    _ => {}
                }
            }
        }
    }
}

fn numbered(names: &mut u32) -> String {
    *names += 1;
    format!("n{names}")
}

fn declare_struct(members: &[Member], types: &mut Types, names: &mut u32) -> u32 {
    let Layout { members, size, .. } = layout(members);
    let members: Vec<(String, u32, u32)> = members
        .into_iter()
        .map(|(member, bit)| {
            let name = numbered(names);
            match member {
                Member::Plain(shape) => (name, shape.declare(types, names), bit),
                Member::Anonymous(members) => (String::new(), declare_struct(members, types, names), bit),
                Member::Bits(shape, width) => (name, shape.declare(types, names), width << 24 | bit),
            }
        })
        .collect();
    let members: Vec<(&str, u32, u32)> = members.iter().map(|(name, of, at)| (name.as_str(), *of, *at)).collect();
    types.structure(4 | 1 << 7, "s", size, &members)
}

fn keep_struct(members: &[Member], at: usize, from: &[u8], to: &mut [u8], mask: &mut [u8]) {
    for (member, bit) in layout(members).members {
        let start = at + bit as usize / 8;
        match member {
            Member::Plain(shape) => shape.keep(start, from, to, mask),
            Member::Anonymous(members) => keep_struct(members, start, from, to, mask),
            Member::Bits(_, width) => (bit..bit + width).for_each(|bit| {
                let (byte, one) = (at + bit as usize / 8, 1 << (bit % 8));
                to[byte] = to[byte] & !one | from[byte] & one;
                mask[byte] |= one;
            }),
        }
    }
}

/// The variable `v` of this type, alone in a section.
fn section(shape: &Shape) -> TypedMap {
    let mut types = Types::default();
    let of = shape.declare(&mut types, &mut 0);
    let variable = types.variable("v", of);
    let size = shape.size().max(1);
    types.section(".bss", size, &[(variable, 0)]);
    let map = Map::builder().name(".bss").value_size(size).create().unwrap();
    TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap()
}

fn bytes_of(map: &TypedMap) -> Vec<u8> {
    let mut bytes = vec![0; map.info().value_size as usize];
    map.as_map().lookup(0, &mut bytes).unwrap();
    bytes
}

fn holds(shape: &Shape, seed: u64) -> Result<(), TestCaseError> {
    let map = section(shape);
    let var = map.var("v").unwrap();
    let seed = [seed.to_ne_bytes(), (!seed).to_ne_bytes()].concat();
    let mut before = vec![0; map.info().value_size as usize];
    TestRng::from_seed(RngAlgorithm::XorShift, &seed).fill_bytes(&mut before);
    map.as_map().update(0, &before).unwrap();
    let (mut kept, mut mask) = (vec![0; before.len()], vec![0; before.len()]);
    shape.keep(0, &before, &mut kept, &mut mask);
    let expected: Vec<u8> =
        before.iter().zip(kept).zip(&mask).map(|((old, new), mask)| old & !mask | new & mask).collect();

    let value = var.read().unwrap();
    let json = serde_json::to_string(&value).unwrap();
    var.set(Input::Text(json.clone())).unwrap();
    prop_assert_eq!(bytes_of(&map), &expected[..], "written as JSON {}", json);
    let value = var.read().unwrap();
    prop_assert_eq!(serde_json::to_string(&value).unwrap(), &json[..]);
    let mut forms = vec![Input::from(&value), serde_json::from_str(&json).unwrap()];
    if !matches!(value, Value::Array(_) | Value::Struct(_) | Value::Text(_)) {
        forms.push(Input::Text(value.to_string()));
    }
    for form in forms {
        // The same padding, and other bits in all of the value.
        let other: Vec<u8> = expected.iter().zip(&mask).map(|(byte, mask)| byte ^ mask).collect();
        map.as_map().update(0, &other).unwrap();
        var.set(form.clone()).unwrap();
        prop_assert_eq!(bytes_of(&map), &expected[..], "written as {:?}", form);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_can_be_written_in_every_form(shape in shape(), seed in any::<u64>()) {
        if host::ready((5, 8)) && shape.size() <= 4096 {
            holds(&shape, seed)?;
        }
    }
}

/// What proptest found.
#[test]
fn what_once_was_not_written_as_it_was_read_is() {
    if !host::ready((5, 8)) {
        return;
    }
    let none = Shape::Array { element: Box::new(Shape::Int { size: 1, signed: false }), len: 0 };
    let nothings = Shape::Array { element: Box::new(Shape::Union(vec![none])), len: 1 };
    // Unsigned, as its number is no small negative one; of which the bitfield has the lowest bit.
    let large = Shape::Enum { size: 4, told: false, signed: false, values: vec![0xb6d5_8a2e] };
    let bit = Shape::Struct(vec![Member::Bits(large, 1)]);
    for shape in [nothings, bit] {
        (0..4).for_each(|seed| holds(&shape, seed).unwrap());
    }
}
