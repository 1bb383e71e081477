//! Maps that are reached by keys: their entries, by what their BTF says.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bpfvar::error::BtfFault;
use bpfvar::{Btf, Cause, Error, Globals, Input, KeyedMap, Map, MapType, Program, Value};
use bpfvar_objects::{Loaded, Source};
use bpfvar_testkit::{MapSpec, Types, delete_entry, host, load_btf, update_entry};

/// The maps, after a program ran `runs` times on the first CPU.
fn filled(runs: u32) -> Option<(Loaded, Globals)> {
    let (loaded, globals) = crate::loaded(Source::Keyed)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            host::pin_to(host::cpus()[0]);
            for _ in 0..runs {
                loaded.run(1);
            }
        });
    });
    Some((loaded, globals))
}

/// All entries as text, sorted.
fn entries(globals: &Globals, map: &str) -> Vec<String> {
    let entries = globals.keyed_map(map).unwrap().entries();
    let mut entries: Vec<String> = entries.map(Result::unwrap).map(|(key, value)| format!("{key}: {value}")).collect();
    entries.sort();
    entries
}

/// A map of `u32` to `u64`.
fn numbers(map_type: MapType, max_entries: u32) -> KeyedMap {
    let mut types = Types::default();
    let (key, value) = (types.int("u32", 4), types.int("u64", 8));
    let btf = load_btf(&types.bytes()).unwrap();
    made(map_type, (4, 8), max_entries, (btf.as_fd(), key, value))
}

fn made(map_type: MapType, sizes: (u32, u32), max_entries: u32, btf: (BorrowedFd<'_>, u32, u32)) -> KeyedMap {
    let (key_size, value_size) = sizes;
    let spec = MapSpec {
        map_type: map_type.0,
        key_size,
        value_size,
        max_entries,
        map_flags: u32::from(map_type == MapType::LPM_TRIE),
        name: "keyed_test",
        btf: Some(btf),
    };
    KeyedMap::open(Map::from_fd(spec.create().unwrap()).unwrap()).unwrap()
}

#[test]
fn keys_and_values_are_read_by_their_types() {
    let Some((_loaded, globals)) = filled(6) else { return };
    let flow = |address: u32, packets: u32| {
        format!("{{address: {address}, port: 80, proto: TCP}}: {{packets: {packets}, bytes: {}}}", packets * 100)
    };
    assert_eq!(entries(&globals, "flows"), [flow(0, 2), flow(1, 2), flow(2, 1), flow(3, 1)]);
    assert_eq!(entries(&globals, "names"), ["\"http\": TCP"]);
    assert_eq!(entries(&globals, "counters"), ["-1: {packets: 6, bytes: 600}"], "the sum of all CPUs");
    assert_eq!(entries(&globals, "hits"), ["5: 6"]);
    assert_eq!(entries(&globals, "many"), ["0: 0", "1: 2", "2: 4", "3: 6", "4: 8", "5: 10"]);
    let routes = [(0, 4), (1, 5), (2, 2), (3, 3)];
    let routes = routes.map(|(index, route)| format!("{{prefixlen: 16, address: [10, {index}, 0, 0]}}: {route}"));
    assert_eq!(entries(&globals, "routes"), routes);
    let names: Vec<&str> = globals.keyed_maps().iter().map(KeyedMap::name).collect();
    assert_eq!(names, ["flows", "counters", "hits", "hists", "names", "routes", "many"], "in the program's order");
    let flows = globals.keyed_map("flows").unwrap();
    assert_eq!((flows.key_type(), flows.value_type()), ("struct flow".to_owned(), "struct traffic".to_owned()));
    assert!(flows.key_declaration().contains("enum proto {") && flows.value_declaration().contains("__u64 bytes;"));
    assert_eq!(flows.programs().unwrap().len(), 1);
    assert!(matches!(globals.keyed_map("floes").unwrap_err(), Error::NotFound { .. }));
    assert!(globals.map("flows").is_err() && globals.maps().iter().all(|map| map.section().is_some()));
}

#[test]
fn an_entry_is_there_or_not() {
    let Some((loaded, globals)) = filled(3) else { return };
    let flows = globals.keyed_map("flows").unwrap();
    let key = |address: u32| format!(r#"{{"address": {address}, "port": "0x50", "proto": "TCP"}}"#);
    let shown = |value: Option<Value>| value.map(|value| value.to_string());
    assert_eq!(shown(flows.get(key(2)).unwrap()).as_deref(), Some("{packets: 1, bytes: 100}"));
    assert_eq!(flows.get(key(3)).unwrap(), None);
    // What is not named is 0.
    let input = Input::Struct(vec![("port".into(), 80.into()), ("proto".into(), "TCP".into())]);
    assert_eq!(shown(flows.get(input).unwrap()).as_deref(), Some("{packets: 1, bytes: 100}"));
    let bytes = flows.entry(key(3)).unwrap().at(".bytes").unwrap();
    assert_eq!(
        (bytes.path(), bytes.type_name().as_str()),
        ("flows[{address: 3, port: 80, proto: TCP}].bytes", "__u64")
    );
    assert_eq!((bytes.read().unwrap(), bytes.read_bytes().unwrap()), (None, None));
    loaded.run(1);
    assert_eq!(bytes.read().unwrap(), Some(Value::from(100_u64)));
    assert_eq!(bytes.read_bytes().unwrap(), Some(100_u64.to_ne_bytes().to_vec()));
    // A key that was read is a key.
    let (read, _) = flows.entries().next().unwrap().unwrap();
    assert!(flows.get(&read).unwrap().is_some());
    assert_eq!(flows.entry(&read).unwrap().key(), read);
    // By text, and by an enumerator's name.
    let names = globals.keyed_map("names").unwrap();
    assert_eq!(names.get("http").unwrap().unwrap().as_str(), Some("TCP"));
    assert_eq!(names.get("").unwrap(), None);
    assert_eq!(names.entry("http").unwrap().enumerators().len(), 3);
    let slot = globals.keyed_map("hists").unwrap().entry(0).unwrap().at(".slots[2]").unwrap();
    assert_eq!(slot.read().unwrap(), Some(Value::from(1_u32)));
}

#[test]
fn what_is_no_key_or_no_path_is_told() {
    let Some((_loaded, globals)) = filled(1) else { return };
    let refused = |map: &str, key: &str, parts: &[&str]| {
        let error = globals.keyed_map(map).unwrap().entry(key).unwrap_err();
        let Error::Argument { argument: "key", .. } = error else { panic!("{error:?}") };
        let line = error.to_string();
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    };
    refused("many", "4294967296", &["map \"many\"", "from 0 to 4294967295"]);
    refused("many", "x", &["a number is needed"]);
    refused("flows", "7", &["struct flow takes members by name"]);
    refused("flows", r#"{"adress": 1}"#, &["{adress: 1}", "no member \"adress\"; it has address, port, proto"]);
    refused("flows", r#"{"proto": "SCTP"}"#, &["at .proto", "ICMP, TCP, UDP"]);
    refused("names", "too long", &["room for 7 bytes"]);
    let flow = globals.keyed_map("flows").unwrap().entry("{}").unwrap();
    for (path, part) in [(".packet", "there are packets, bytes"), ("[0]", "not an array"), (".bytes.x", "no members")] {
        let line = flow.at(path).unwrap_err().to_string();
        assert!(line.contains(part) && line.contains("flows[{address: 0"), "{line}");
    }
}

#[test]
fn each_cpu_has_a_value() {
    let Some((_loaded, globals)) = filled(4) else { return };
    let first = host::cpus()[0];
    let counters = globals.keyed_map("counters").unwrap().entry(-1).unwrap();
    let each = counters.each_cpu().unwrap();
    assert!(each.len() >= host::cpus().len());
    let packets = |path: &str| counters.at(path).unwrap().at(".packets").unwrap().read().unwrap().unwrap().as_i128();
    assert_eq!((packets(&format!("[{first}]")), packets("")), (Some(4), Some(4)));
    let sum: i128 = each.iter().map(|of| of.at(".packets").unwrap().read().unwrap().unwrap().as_i128().unwrap()).sum();
    assert_eq!(sum, 4);
    assert_eq!(each[0].path(), "counters[-1][0]");
    assert!(each[0].each_cpu().unwrap().is_empty());
    let line = counters.at("[99999]").unwrap_err().to_string();
    assert!(line.contains("there is no CPU 99999"), "{line}");
    let line = counters.read_bytes().unwrap_err().to_string();
    assert!(line.contains("every CPU has a value of its own; choose a CPU"), "{line}");
    let bytes = counters.at(&format!("[{first}].bytes")).unwrap().read_bytes().unwrap();
    assert_eq!(bytes, Some(400_u64.to_ne_bytes().to_vec()));
}

#[test]
fn a_part_of_all_entries_is_read_at_once() {
    let Some((_loaded, globals)) = filled(6) else { return };
    let of = |map: &str, path: &str| {
        let entries = globals.keyed_map(map).unwrap().entries().at(path)?;
        let mut lines: Vec<String> =
            entries.map(|entry| entry.map(|(key, value)| format!("{key}: {value}")).unwrap()).collect();
        lines.sort();
        Ok::<_, Error>(lines)
    };
    assert_eq!(of("many", "").unwrap(), entries(&globals, "many"));
    let flow = |address: u32, bytes: u32| format!("{{address: {address}, port: 80, proto: TCP}}: {bytes}");
    assert_eq!(of("flows", ".bytes").unwrap(), [flow(0, 200), flow(1, 200), flow(2, 100), flow(3, 100)]);
    assert_eq!(of("hists", ".slots[2]").unwrap().first().unwrap(), "0: 1");
    // The sum of all CPUs, or what one has.
    assert_eq!(of("counters", ".packets").unwrap(), ["-1: 6"]);
    assert_eq!(of("counters", &format!("[{}].packets", host::cpus()[0])).unwrap(), ["-1: 6"]);
    // A trie is walked in another way.
    assert_eq!(of("routes", "").unwrap(), entries(&globals, "routes"));
    let line = of("flows", ".packet").unwrap_err().to_string();
    assert!(line.contains("there are packets, bytes") && line.contains("flows[*]"), "{line}");
    assert!(of("many", "[0]").is_err() && of("counters", "[99999]").is_err());
    // The globals of several programs have such maps once.
    let info = globals.program().unwrap().id;
    let twice = [info, info].map(|id| Program::from_id(id).unwrap());
    assert_eq!(Globals::of_programs(&twice).unwrap().keyed_maps().len(), globals.keyed_maps().len());
}

#[test]
fn a_trie_gives_the_longest_prefix() {
    let Some((_loaded, globals)) = filled(4) else { return };
    let routes = globals.keyed_map("routes").unwrap();
    let get = |key: &str| routes.get(key).unwrap().map(|value| value.to_string());
    assert_eq!(get(r#"{"prefixlen": 32, "address": [10, 2, 7, 7]}"#).as_deref(), Some("2"));
    assert_eq!(get(r#"{"prefixlen": 32, "address": [11, 2, 7, 7]}"#), None);
    assert_eq!(get(r#"{"prefixlen": 8, "address": [10, 2, 7, 7]}"#), None);
}

/// Half of the entries stay, the others are removed and made again all the time.
#[test]
fn what_stays_comes_once_whatever_else_comes_and_goes() {
    if !host::ready((5, 8)) {
        return;
    }
    for map_type in [MapType::HASH, MapType::PERCPU_HASH] {
        let map = numbers(map_type, 20_000);
        let insert = |key: u32| update_entry(map.as_map().as_fd(), &key.to_ne_bytes(), &7_u64.to_ne_bytes()).unwrap();
        let stays = if map_type == MapType::HASH { 5000 } else { 500 };
        (0..stays).for_each(insert);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for key in stays..stays + 100 {
                        insert(key);
                        delete_entry(map.as_map().as_fd(), &key.to_ne_bytes()).unwrap();
                    }
                }
            });
            for _ in 0..20 {
                let mut times: BTreeMap<i128, u32> = BTreeMap::new();
                for entry in map.entries() {
                    let (key, _) = entry.unwrap();
                    *times.entry(key.as_i128().unwrap()).or_default() += 1;
                }
                assert!(times.values().all(|times| *times == 1));
                assert_eq!(times.range(..i128::from(stays)).count(), stays as usize);
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}

/// The kernel starts anew wherever the key that the walk stands at is gone.
#[test]
fn a_walk_from_key_to_key_ends_and_tells_nothing_twice() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let (byte, value) = (types.int("u8", 1), types.int("u64", 8));
    let (word, bytes) = (types.int("u32", 4), types.array(byte, 4));
    let key = types.structure(4, "prefix", 8, &[("prefixlen", word, 0), ("data", bytes, 32)]);
    let btf = load_btf(&types.bytes()).unwrap();
    let map = made(MapType::LPM_TRIE, (8, 8), 256, (btf.as_fd(), key, value));
    let prefix = |number: u8| [32_u32.to_ne_bytes(), [10, 0, 0, number]].concat();
    let insert = |number: u8| update_entry(map.as_map().as_fd(), &prefix(number), &7_u64.to_ne_bytes()).unwrap();
    (0..200).for_each(insert);
    assert_eq!(map.entries().count(), 200);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for number in 100..200 {
                    delete_entry(map.as_map().as_fd(), &prefix(number)).unwrap();
                    insert(number);
                }
            }
        });
        for _ in 0..50 {
            let mut keys: Vec<String> = map.entries().map(|entry| entry.unwrap().0.to_string()).collect();
            let len = keys.len();
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), len);
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// The kernel copies whole buckets, and says so if there is no room for one: of values so big there is room for one at first.
#[test]
fn a_bucket_that_does_not_fit_gets_more_room() {
    if !host::ready((5, 8)) {
        return;
    }
    let mut types = Types::default();
    let (key, byte) = (types.int("u32", 4), types.int("u8", 1));
    let value = types.array(byte, 16384);
    let btf = load_btf(&types.bytes()).unwrap();
    let map = made(MapType::PERCPU_HASH, (4, 16384), 64, (btf.as_fd(), key, value));
    // Some of 64 keys share one of 64 buckets.
    for key in 0..64_u32 {
        update_entry(map.as_map().as_fd(), &key.to_ne_bytes(), &[1; 16384]).unwrap();
    }
    let keys: Vec<_> = map.entries().map(|entry| entry.unwrap().0.as_i128().unwrap()).collect();
    assert_eq!(keys.len(), 64);
    assert_eq!(keys.into_iter().collect::<std::collections::BTreeSet<_>>().len(), 64);
}

#[test]
fn maps_of_other_types_or_without_types_are_refused() {
    let Some((loaded, globals)) = filled(0) else { return };
    let array = globals.var("runs").unwrap().map().as_map().try_clone().unwrap();
    let line = KeyedMap::open(array).unwrap_err().to_string();
    assert!(line.contains("map_type is BPF_MAP_TYPE_ARRAY, expected a hash"), "{line}");
    let bare = Map::from_fd(bpfvar_testkit::raw_map(MapType::HASH.0, 4, 8, 4, 0).unwrap()).unwrap();
    let error = KeyedMap::open(bare).unwrap_err();
    assert!(matches!(error, Error::Btf { fault: BtfFault::Missing, .. }), "{error}");
    // BTF of something else.
    let mut types = Types::default();
    for _ in 0..64 {
        types.int("u8", 1);
    }
    let flows = loaded.map("flows").try_clone().unwrap();
    let error = KeyedMap::with_btf(flows, Btf::parse(&types.bytes()).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Btf { fault: BtfFault::DoesNotFit { .. }, .. }), "{error}");
}

#[test]
fn a_descriptor_and_btf_are_enough_without_the_capability() {
    let Some((loaded, _globals)) = filled(2) else { return };
    let btf = loaded.btf.as_ref().unwrap();
    let many = loaded.map("many").try_clone().unwrap();
    let own = Btf::parse(btf.bytes()).unwrap();
    let id = loaded.map("flows").info().id;
    host::without_capabilities(|| {
        assert_eq!(Map::from_id(id).unwrap_err().cause(), Some(Cause::NeedsCapSysAdmin));
        let entries = KeyedMap::with_btf(many, own).unwrap().entries();
        // Some kernels let nobody else call bpf(2).
        match entries.collect::<bpfvar::Result<Vec<_>>>() {
            Ok(entries) => assert_eq!(entries.len(), 2),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}"),
        }
    });
}
