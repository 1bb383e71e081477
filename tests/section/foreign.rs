//! Types that are not structs of scalars: C's enums, flags, newtypes, other people's structs.

use std::mem::offset_of;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use bpfvar::{Array, Bytemuck, Checked, MapValue, ReadOnly, Repr, Shared, Zerocopy};
use bpfvar_objects::Source;

use crate::{loaded, loaded_as_declared, text};

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
enum Mode {
    Slow,
    Fast,
    Off,
}

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
struct Rate(u64);

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
struct Burst {
    packets: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Flags(u32);

impl Repr for Flags {
    type Scalar = u32;

    fn to_scalar(self) -> u32 {
        self.0
    }

    fn from_scalar(bits: u32) -> Option<Flags> {
        (bits < 4).then_some(Flags(bits))
    }
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Limit {
    burst: Checked<Burst>,
    delta: i32,
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Config {
    rate: Rate,
    mode: Checked<Mode>,
    limits: [Limit; 4],
    enabled: bool,
}

#[test]
fn enums_flags_and_newtypes_are_fields() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let config: Shared<Config> = globals.var("config").unwrap().bind().unwrap();
    let mode = config.project(|config| config.view().mode);
    assert_eq!(mode.load(Relaxed), Mode::Fast);
    mode.store(Mode::Off.into(), Relaxed);
    assert_eq!((loaded.run(1), text(&globals, "config.mode")), (0, "OFF".to_owned()));
    assert_eq!(config.view().limits.at(2).burst.load(Relaxed).get(), Ok(Burst { packets: 30 }));
    config.view().rate.write(Rate(77));
    assert!(mode.compare_exchange(Mode::Off.into(), Mode::Slow.into(), Acquire, Relaxed).is_ok());
    assert_eq!((loaded.run(1), config.read().rate), (77, Rate(77)));
    // What a program may store: a number that is no variant.
    globals.var("config.mode").unwrap().set(99).unwrap();
    assert_eq!(mode.load(Relaxed).get(), Err(99));
    assert_eq!(mode.load(Relaxed).scalar(), 99);
    assert_eq!(format!("{:?}", config.view().mode), "99 (unknown)");
    assert_eq!(
        mode.fetch_update(Relaxed, Relaxed, |mode| mode.get().ok().map(Checked::from)),
        Err(Checked::from_scalar(99))
    );
    let flags: Shared<Checked<Flags>> = globals.var("sampling").unwrap().bind().unwrap();
    assert_eq!(flags.load(Relaxed).get(), Ok(Flags(1)));
    let rate: Shared<Rate> = globals.var("config.rate").unwrap().bind().unwrap();
    assert_eq!(rate.view().0.load(Relaxed), 77);
}

#[test]
fn a_struct_of_one_field_is_told_how_to_be_it() {
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Wrapped(u32);
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let error = globals.var("sampling").unwrap().bind::<Wrapped, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("declare the struct #[repr(transparent)]"), "{error}");
    let error = globals.var("config.mode").unwrap().bind::<Checked<Wide>, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("does not have the type Wide: expected Wide at offset 0, 8 bytes"), "{error}");
}

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(i64)]
enum Wide {
    One = 1,
}

#[test]
fn bytes_and_foreign_structs_are_whole_in_a_mapping_of_their_own() {
    #[derive(Clone, Copy, Debug, PartialEq, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable)]
    #[repr(C)]
    struct Foreign {
        burst: u32,
        delta: i32,
    }
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let label: Shared<Zerocopy<[u8; 16]>> = globals.var("label").unwrap().bind().unwrap();
    assert_eq!(&label.read().0[..5], b"eth0\0");
    label.write(Zerocopy(*b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_eq!(text(&globals, "label"), "\"lo\"");
    // 16 bytes in one scalar: two words.
    let Some((_loaded, kinds)) = loaded(Source::Kinds) else { return };
    let wide: Shared<Zerocopy<u128>> = kinds.var("u128_value").unwrap().bind().unwrap();
    assert_eq!(wide.read().0.to_string(), text(&kinds, "u128_value"));
    let limit: Shared<Zerocopy<Foreign>> = globals.var("config.limits[1]").unwrap().bind().unwrap();
    assert_eq!(limit.read().0, Foreign { burst: 20, delta: -2 });
}

#[test]
fn a_member_of_a_foreign_struct_is_read_and_written_alone() {
    #[derive(Clone, Copy, Debug, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
    #[repr(C)]
    struct Rule {
        from: u16,
        to: u16,
        action: u32,
        bytes: [u8; 11],
        last: u8,
        tail: u16,
        _pad: u16,
    }
    let rules = Array::<[Bytemuck<Rule>; 2]>::in_process(2);
    // The second starts at byte 28 of its value.
    let rule = rules.at(1).at(1);
    rule.write(Bytemuck(Rule { from: 1, to: 2, action: 3, bytes: [4; 11], last: 5, tail: 6, _pad: 7 }));
    assert_eq!(rule.read_at::<u16>(offset_of!(Rule, to)), 2);
    assert_eq!(rule.read_at::<[u8; 11]>(offset_of!(Rule, bytes)), [4; 11]);
    rule.write_at(offset_of!(Rule, bytes), [9_u8; 11]);
    rule.write_at(offset_of!(Rule, to), 0x0202_u16);
    let expected = Rule { from: 1, to: 0x0202, action: 3, bytes: [9; 11], last: 5, tail: 6, _pad: 7 };
    assert_eq!(rule.read().0, expected);
    assert_eq!(rules.at(1).at(0).read().0, Rule::default());
    assert!(std::panic::catch_unwind(|| rule.read_at::<u32>(size_of::<Rule>() - 2)).is_err());
    assert!(std::panic::catch_unwind(|| rule.write_at(usize::MAX, 1_u8)).is_err());
}

/// As libbpf-cargo's skeletons and bindgen have them: padding with a name, `c_char`, a pointer as its number.
#[test]
fn a_struct_as_generators_write_it_is_bound() {
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Data {
        sampling: u32,
        __pad_4: [u8; 4],
        config: Generated,
        ratio: f64,
        label: [std::ffi::c_char; 16],
    }
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct Generated {
        rate: u64,
        mode: Checked<Mode>,
        limits: [Limit; 4],
        enabled: bool,
        __pad_45: [u8; 3],
    }
    let Some((_loaded, globals)) = loaded_as_declared(Source::Count) else { return };
    let data: Shared<Data> = globals.map(".data").unwrap().bind().unwrap();
    let seen = data.read();
    assert_eq!((seen.sampling, seen.config.rate, seen.config.enabled, seen.ratio), (1, 1000, true, 0.75));
    assert_eq!(seen.label[..4], [b'e', b't', b'h', b'0'].map(|byte| byte as std::ffi::c_char));
    let pointer: Shared<u64, ReadOnly> = {
        let Some((_loaded, kinds)) = loaded(Source::Kinds) else { return };
        kinds.var("node_pointer").unwrap().bind().unwrap()
    };
    pointer.load(Relaxed);
}
