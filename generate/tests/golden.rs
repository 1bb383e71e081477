//! What is generated for the objects of the tests, compiled as a strict crate compiles it, and bound to running programs.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unsafe_code,
    dead_code,
    unused,
    unused_qualifications,
    elided_lifetimes_in_paths,
    trivial_casts,
    trivial_numeric_casts,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    rust_2024_compatibility
)]

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Bind, Globals, Value};
use bpfvar_generate::{Generator, difference};
use bpfvar_objects::{Loaded, Source, load};
use bpfvar_testkit::host;

/// As users include it.
macro_rules! golden {
    ($($name:ident: $file:literal),*) => {$(
        #[allow(unreachable_pub)]
        mod $name {
            include!(concat!("golden/", $file, ".rs"));
        }
    )*};
}

golden! {
    count: "count", custom: "custom", forged: "forged", keyed: "keyed", kinds: "kinds", maps: "maps", percpu: "percpu", shapes: "shapes",
    tail: "tail", together: "together", together_x86: "together-x86", twin: "twin"
}

fn path(source: Source) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{}.rs", source.name()))
}

/// The programs in the kernel, and their globals together; None where the test cannot run.
fn loaded(source: Source) -> Option<(Loaded, Globals)> {
    if !host::ready(source.needs()) {
        return None;
    }
    let loaded = load(source);
    // By id: other tests have programs of the same name in the kernel at the same time.
    let mut programs = loaded.programs.iter().map(|program| Globals::by_id(program.id()).unwrap());
    let first = programs.next().unwrap();
    let globals = programs.fold(first, Globals::join);
    Some((loaded, globals))
}

/// A program shows what its object shows, where it uses all of that.
#[test]
fn the_code_for_a_running_program_is_that_for_its_object() {
    for source in [Source::Count, Source::Kinds, Source::Maps, Source::Twin] {
        let Some((_loaded, globals)) = loaded(source) else { return };
        let code = Generator::from_globals(&globals).unwrap().name(source.name()).rust().unwrap();
        // A map's name in the kernel is as much of it as fits.
        let code = code
            .replace("a_map_with_a_lo:", "a_map_with_a_long_name:")
            .replace("`a_map_with_a_lo`", "`a_map_with_a_long_name`");
        let named = format!("The variables and array maps of `{}`", globals.program().unwrap().name);
        let code = code.replace(&named, &format!("The variables and array maps of `{}.bpf.o`", source.name()));
        let kept = std::fs::read_to_string(path(source)).unwrap();
        let difference = difference(&kept, &code);
        assert_eq!(difference, None, "{source:?}");
    }
}

#[test]
fn every_golden_struct_can_be_bound() {
    fn bound<B: Bind>(source: Source) -> Option<B> {
        let (_loaded, globals) = loaded(source)?;
        Some(B::bind(&globals).unwrap_or_else(|error| panic!("{source:?}: {error}")))
    }
    let Some(custom) = bound::<custom::Custom>(Source::Custom) else { return };
    assert_eq!(custom.custom_bss.read(), [0; 3]);
    let keyed = bound::<keyed::Keyed>(Source::Keyed).unwrap();
    assert_eq!(keyed.runs.load(Relaxed), 0);
    let tail = bound::<tail::Tail>(Source::Tail).unwrap();
    assert_eq!((tail.first.load(Relaxed), tail.last.load(Relaxed)), (0x1122_3344_5566_7788, 0x99aa_bbcc));
    let twin = bound::<twin::Twin>(Source::Twin).unwrap();
    assert_eq!((twin.calls_8.load(Relaxed), twin.calls_16.load(Relaxed)), (100, 200));
    let together = bound::<together_x86::TogetherX86>(Source::TogetherX86).unwrap();
    assert_eq!(together.config.read().unwrap().rate, 1000);
    let maps = bound::<maps::Maps>(Source::Maps).unwrap();
    assert_eq!((maps.stats.len(), maps.a_map_with_a_long_name.len(), maps.percpu.name()), (4, 1, "percpu"));
    let percpu = bound::<percpu::Percpu>(Source::PerCpu).unwrap();
    let hits: Value = percpu.parr.var("parr[0].hits").unwrap().read().unwrap();
    assert_eq!((hits.as_i128(), size_of::<percpu::Hits>()), (Some(0), 16));
}

#[test]
fn variables_are_read_and_written() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let count = count::Count::bind(&globals).unwrap();
    assert_eq!(count.version.load(Relaxed), 3);
    let config = count.config.read();
    assert_eq!((config.rate, config.mode.get(), config.limits[2].delta), (1000, Ok(count::Mode::Fast), -3));
    count.config.view().mode.store(count::Mode::Off.into(), Relaxed);
    assert_eq!(loaded.run(3), 0, "the program sees it");
    assert_eq!((count.packets.load(Relaxed), &count.label.read()[..5]), (3, b"eth0\0".as_slice()));
    globals.var("config.mode").unwrap().set(77).unwrap();
    assert_eq!(count.config.read().mode.get(), Err(77));
}

#[test]
fn every_kind_has_its_value() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let kinds = kinds::Kinds::bind(&globals).unwrap();
    assert_eq!(kinds.u128_value.read().0, 0xf1f2_f3f4_f5f6_f7f8_e1e2_e3e4_e5e6_e7e8);
    assert_eq!((kinds.s128_value.read().0, kinds.s64_value.load(Relaxed)), (-(1 << 100), -4_294_967_298));
    assert_eq!((kinds.char_value.load(Relaxed), kinds.schar_value.load(Relaxed)), (b'c', -100));
    assert_eq!(kinds.alias_value.load(Relaxed).get(), Ok(kinds::Alias::SYNONYM));
    assert_eq!(kinds.big_signed_value.load(Relaxed).get(), Ok(kinds::BigSigned::BigMin));
    assert_eq!(kinds.small_signed_value.load(Relaxed).get(), Ok(kinds::SmallSigned::SmallMinus));
    assert_eq!((kinds.cube.read()[1][2], kinds.text.read()), ([-120, 0, 0, -123], *b"text\0\0\0\0"));
    assert_eq!((kinds.self_.load(Relaxed), kinds.r#type.load(Relaxed), kinds.unnamed.load(Relaxed)), (42, 40, 43));
    assert_eq!((kinds.first_calls.load(Relaxed), kinds.second_calls.load(Relaxed)), (50, 60));
    assert_eq!(kinds.node_pointer.load(Relaxed), 0xffff_8880_1234_5678);
    assert_eq!(kinds.word.at(".halves.high").unwrap().read().unwrap().as_i128(), Some(0x0102_0304));
    let squeezed = kinds.squeezed.read();
    assert_eq!((squeezed.tag, squeezed.value(), squeezed.tail()), (0x51, 0x6162_6364_6566_6768, 0x7172));
    assert_eq!(kinds.only_static.read_as::<u32>().unwrap(), 33);
}

/// The bitfields of a value, by its methods and by BTF.
#[test]
fn bitfields_are_what_btf_says() {
    let Some((_loaded, globals)) = loaded(Source::Kinds) else { return };
    let kinds = kinds::Kinds::bind(&globals).unwrap();
    let mut bits = kinds.bits_value.read();
    assert_eq!((bits.one(), bits.three(), bits.minus(), bits.plain), (1, 5, -7, 0xdead_beef));
    assert_eq!((bits.across(), bits.next_unit(), bits.flag()), (0xabcde, 0x1fedc, true));
    assert_eq!((bits.hue().get(), bits.cold().get()), (Ok(kinds::Color::Green), Ok(kinds::Temperature::Freezing)));
    assert_eq!((bits.half, bits.wide(), bits.wide_minus()), (0x1234, 0x1_fedc_ba98, -1_234_567));
    assert_eq!(bits.whole(), 0x0123_4567_89ab_cdef);
    bits.set_one(0);
    bits.set_minus(-16);
    bits.set_across(0x12345);
    bits.set_flag(false);
    bits.set_hue(kinds::Color::Red.into());
    bits.set_cold(kinds::Temperature::Hot.into());
    bits.set_wide(u64::MAX);
    bits.set_wide_minus(-5);
    kinds.bits_value.write(bits);
    let read = |member: &str| globals.var(&format!("bits_value.{member}")).unwrap().read().unwrap();
    for (member, value) in [
        ("one", 0),
        ("three", 5),
        ("minus", -16),
        ("across", 0x12345),
        ("next_unit", 0x1fedc),
        ("hue", 0),
        ("cold", 90),
        ("half", 0x1234),
        ("wide", 0x1_ffff_ffff),
        ("wide_minus", -5),
        ("whole", 0x0123_4567_89ab_cdef),
    ] {
        assert_eq!(read(member).as_i128(), Some(value), "{member}");
    }
    assert_eq!(read("flag"), Value::Bool(false));
}

#[test]
fn structs_that_rust_has_not_are_read_and_written() {
    let Some((loaded, globals)) = loaded(Source::Shapes) else { return };
    let shapes = shapes::Shapes::bind(&globals).unwrap();
    let value = |path: &str| globals.var(path).unwrap().read().unwrap().as_i128().unwrap();
    let cache = shapes.cache.read();
    assert_eq!((cache.tag, cache.lines[1].hits, cache.lines[1].misses), (1, 4, 5));
    let spread = shapes.spread.read();
    assert_eq!((spread.first, spread.second, spread.third), (6, 7, 8));
    let mut record = shapes.record.read();
    assert_eq!((record.kind, record.length(), record.level()), (9, 0x0a0b_0c0d, -258));
    assert_eq!((record.unit().get(), record.at.x(), record.at.y()), (Ok(shapes::Unit::Feet), 10, -11));
    assert_eq!((record.on, record.low(), record.high()), (true, 14, 1500));
    assert_eq!((record.other().get(), record.far(), record.end()), (Ok(shapes::Unit::Feet), -15, 55));
    record.set_length(60);
    record.set_high(2047);
    record.set_other(shapes::Unit::Metres.into());
    record.set_far(-(1 << 51));
    shapes.record.write(record);
    assert_eq!([value("record.length"), value("record.low"), value("record.high")], [60, 14, 2047]);
    assert_eq!([value("record.other"), value("record.far"), value("record.marks[1]")], [0, -(1 << 51), 13]);
    let holder = shapes.holder.read();
    assert_eq!((holder.good.number(), holder.odd, holder.bad.number(), holder.bad.other()), (16, 19, 20, 22));
    let peers = shapes.peers.read();
    assert_eq!((peers.rest[1].id, peers.state.get()), (25, Ok(shapes::StateT::Down)));
    assert_eq!(peers.via[1].protocol.get(), Ok(shapes::PeersViaProtocol::Udp));
    let setting = shapes.setting.read();
    assert_eq!((setting.key, setting._union_4, setting._value[0], setting.major, setting.minor), (28, 29, 30, 31, 32));
    assert_eq!(shapes.values.at("[1].number").unwrap().read().unwrap().as_i128(), Some(34));
    assert_eq!((shapes.wide.read().value.0, shapes.wide_packed.read().value.0), (-36, [-38_i64 as u64, u64::MAX]));
    let named = shapes.shapes.read();
    assert_eq!((named.rxBytes, named._crate_, named.r#match, named.last), (39, 42, 43, 45));
    assert_eq!((shapes.shapes_view.read().only, shapes.shapes_2.read().only), (46, 47));
    assert_eq!(shapes.loud.load(Relaxed).get(), Ok(shapes::Loud::Self_));
    assert_eq!(shapes.stamped.view().point.read().unwrap().y, -50);
    assert!(shapes.idle.is_none() && shapes.unused.is_none(), "no program uses them");
    loaded.program("ingress").run(1);
    loaded.program("egress").run(2);
    assert_eq!((shapes.points.at(1).read().unwrap().x, shapes.sent.load(Relaxed)), (1, 2));
    assert_eq!((shapes.ticks.sum(|ticks| ticks), shapes.limit.load(Relaxed)), (2, 51));
}

#[test]
fn values_that_change_together_are_read_and_written() {
    let Some((loaded, globals)) = loaded(Source::Together) else { return };
    let together = together::Together::bind(&globals).unwrap();
    loaded.program("write_blocks").run(2);
    loaded.program("write_shared").run(3);
    loaded.program("count_packet").run(4);
    let blocks = together.blocks.iter().map(|block| block.read().unwrap().words[7]).sum::<u64>();
    assert_eq!((blocks, together.shared.view().read().unwrap().words[0]), (2, 3));
    assert_eq!(together.counters.sum(|counters| counters.bytes), 400);
    together.config.update(|config| config.mode = together::Mode::Off.into()).unwrap();
    assert_eq!(together.config.read().unwrap().mode.get(), Ok(together::Mode::Off));
    assert_eq!(together.settings.view().read().unwrap().burst, 10);
}
