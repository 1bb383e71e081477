//! Values in both byte orders, on any machine: compilers laid them out, in objects of the same sources.

use std::collections::BTreeMap;

use bpfvar_objects::{Compiled, Source};

use super::decode::decode;
use super::encode::encode;
use super::{Input, Value};
use crate::types::{Btf, Kind, Order, Part};

/// The initial values of all variables of a section, and their bytes. Each is written back as it was read.
fn values(source: Source, section: &str, order: Order) -> BTreeMap<String, (Value, Vec<u8>)> {
    let object = Compiled::of(source, order == Order::Big);
    let btf = Btf::parse_in(object.btf(), order).unwrap();
    let Kind::Section { variables, .. } = btf.kind(btf.section(section).unwrap()) else { panic!("no section") };
    let mut values = BTreeMap::new();
    for of in variables.iter().map(|placed| placed.variable) {
        let name = &btf.get(of).name;
        let Some(contents) = object.contents(section, name) else { continue };
        let bytes = &contents[..btf.size(of).unwrap() as usize];
        let part = Part { of, offset: 0, bits: None };
        let value = decode(&btf, part, bytes);
        let image = encode(&btf, part, &Input::from(&value)).unwrap();
        let put = image.bytes.iter().zip(&image.mask).zip(bytes).map(|((new, mask), old)| new & mask | old & !mask);
        assert_eq!(put.collect::<Vec<u8>>(), bytes, "{name} = {value}");
        values.insert(name.to_string(), (value, bytes.to_vec()));
    }
    values
}

#[test]
fn objects_of_both_byte_orders_hold_the_same_values() {
    // A union shows the order by its members.
    for (source, section, unions) in
        [(Source::Kinds, ".data", &["anonymous_members", "word"][..]), (Source::Count, ".data", &[])]
    {
        let [little, big] = [Order::Little, Order::Big].map(|order| values(source, section, order));
        assert!(little.keys().eq(big.keys()));
        let differ = |name: &&String| little[*name].0 != big[*name].0;
        assert_eq!(little.keys().filter(differ).collect::<Vec<_>>(), unions);
        let differ = little.keys().filter(|name| little[*name].1 != big[*name].1).count();
        assert!(2 * differ > little.len(), "the bytes of {differ} of {}", little.len());
    }
}

#[test]
fn the_other_byte_order_is_refused_outside_of_tests() {
    for big in [false, true] {
        let parsed = Btf::parse(Compiled::of(Source::Count, big).btf());
        assert_eq!(parsed.is_ok(), big == (Order::NATIVE == Order::Big));
        let order = if big { Order::Little } else { Order::Big };
        assert!(Btf::parse_in(Compiled::of(Source::Count, big).btf(), order).is_err());
    }
}
