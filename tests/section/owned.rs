//! Handles that own what they point into.

use std::sync::atomic::Ordering::Relaxed;
use std::thread;

use bpfvar::{Array, Cause, Globals, Map, MapValue, ReadOnly, Shared, TypedMap, Var};
use bpfvar_objects::Source;
use bpfvar_testkit::host;

use crate::{Config, loaded, text};

/// What a daemon keeps for its whole life. No lifetime.
#[derive(Clone)]
struct Daemon {
    packets: Shared<u64>,
    version: Shared<u32, ReadOnly>,
    config: Shared<Config>,
    burst: Shared<u32>,
    label: Var,
    bss: TypedMap,
}

fn daemon(globals: &Globals) -> bpfvar::Result<Daemon> {
    let config: Shared<Config> = globals.var("config")?.bind()?;
    Ok(Daemon {
        packets: globals.var("packets")?.bind()?,
        version: globals.var("version")?.bind()?,
        burst: config.project(|config| config.view().limits.at(2).burst),
        config,
        label: globals.var("label")?,
        bss: globals.map(".bss")?.clone(),
    })
}

#[test]
fn handles_outlive_all_that_they_came_from_and_go_in_any_order() {
    fn is_free<T: Clone + Send + Sync + 'static>(_: &T) {}
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let daemon = daemon(&globals).unwrap();
    is_free(&daemon);
    is_free(&globals);
    drop(globals);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let daemon = daemon.clone();
            thread::spawn(move || {
                for _ in 0..1000 {
                    daemon.packets.fetch_add(1, Relaxed);
                }
                daemon.version.load(Relaxed)
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 3));
    assert_eq!(daemon.packets.load(Relaxed), 4000);
    daemon.config.view().rate.store(77, Relaxed);
    assert_eq!(loaded.run(1), 77, "the program sees it");
    assert_eq!((daemon.burst.load(Relaxed), daemon.config.read().limits[2].delta), (30, -3));
    let Daemon { packets, config, burst, bss, label, .. } = daemon;
    drop(config);
    burst.store(31, Relaxed);
    assert_eq!(label.read().unwrap().as_str(), Some("eth0"));
    drop(loaded);
    host::eventually(|| bss.is_stale().unwrap());
    // Its memory stays for those who hold it.
    assert_eq!((packets.load(Relaxed), burst.load(Relaxed)), (4001, 31));
    drop(bss);
    assert_eq!(packets.load(Relaxed), 4001);
}

#[test]
fn a_shared_entry_keeps_the_map_mapped_and_so_from_freezing() {
    if !host::ready((5, 8)) {
        return;
    }
    let array = Array::<[u64; 2]>::builder().name("kept").entries(600).create().unwrap();
    let second: Shared<u64> = array.share(599).project(|value| value.at(1));
    let failed = array.freeze().unwrap_err();
    assert_eq!(failed.error.cause(), Some(Cause::MappedWritable), "{failed}");
    second.store(5, Relaxed);
    drop(second);
    failed.map.freeze().unwrap();
    let array = Array::<[u64; 2], ReadOnly>::from_map(failed.map).unwrap();
    assert_eq!(array.share(599).read(), [0, 5]);
}

#[test]
fn an_error_about_a_variable_names_it() {
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let error = globals.var("version").unwrap().bind::<u32, bpfvar::ReadWrite>().unwrap_err();
    assert_eq!((error.cause(), error.object().name()), (Some(Cause::Frozen), Some("version")));
    let message = error.to_string();
    assert!(message.starts_with("version (const volatile __u32 in .rodata of map \"count.rodata\" (id "), "{message}");
    assert!(format!("{error:?}").contains("cause: Frozen"), "the fields follow the message: {error:?}");
}

#[test]
fn the_first_variables_of_a_section_are_enough() {
    #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Start {
        first: u64,
    }
    #[derive(MapValue, Clone, Copy, Debug)]
    #[repr(C)]
    struct TooLong {
        first: u64,
        last: u32,
        _more: [u32; 2],
    }
    let Some((_loaded, globals)) = loaded(Source::Tail) else { return };
    let start: Shared<Start> = globals.maps()[0].bind().unwrap();
    assert_eq!(start.read(), Start { first: 0x1122_3344_5566_7788 });
    start.view().first.store(9, Relaxed);
    assert_eq!(text(&globals, "first"), "9");
    // As an array, every variable counts.
    let error = globals.maps()[0].array::<Start, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("last: expected nothing"), "{error}");
    let error = globals.maps()[0].bind::<TooLong, ReadOnly>().unwrap_err().to_string();
    assert!(error.contains("found a value of 12 bytes"), "{error}");
}

#[test]
fn values_are_aligned_as_their_types_ask_up_to_a_page() {
    #[derive(Clone, Copy, Debug, PartialEq, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable)]
    #[repr(C, align(64))]
    struct Line([u64; 8]);
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("lines").value_size(64).entries(300).create().unwrap();
    let lines = Array::<bpfvar::Zerocopy<Line>>::from_map_window(map, 131..300).unwrap();
    lines.write(168, bpfvar::Zerocopy(Line([7; 8])));
    assert_eq!(lines.read(168).0, Line([7; 8]));
    assert_eq!(lines.map().unwrap().info().stride(), 64);
    let in_process = Array::<bpfvar::Zerocopy<Line>>::in_process(3);
    assert_eq!(in_process.read(2).0, Line([0; 8]));
}
