//! What our loaders make is what the loaders that they imitate make.

use std::process::Command;

use bpfvar_objects::{Loaded, LoadedMap, Source, load, load_by_bpftool};
use bpfvar_testkit::host::{self, Bpffs};

/// What bpftool says of something.
fn bpftool(arguments: &[&str], id: u32) -> String {
    let output = Command::new("bpftool").args(arguments).arg(id.to_string()).output().expect("bpftool is there");
    assert!(output.status.success(), "bpftool {arguments:?} {id}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The map but for its ids: its description in words, and all values.
fn described(map: &LoadedMap) -> (String, Vec<Vec<u8>>) {
    let info = map.map.info();
    let words = format!(
        "{:?}, {:?}, key {}, value {}, entries {}, flags {:?}, BTF {} with key {}, value {}",
        info.name,
        info.map_type,
        info.key_size,
        info.value_size,
        info.max_entries,
        info.flags,
        info.btf_id != 0,
        info.btf_key_type_id,
        info.btf_value_type_id
    );
    if info.map_type != bpfvar::MapType::ARRAY {
        return (words, Vec::new());
    }
    let values = (0..info.max_entries).map(|key| {
        let mut value = vec![0; info.value_size as usize];
        map.map.lookup(key, &mut value).expect("an array");
        value
    });
    (format!("{words}, frozen {}", map.map.is_frozen().expect("/proc")), values.collect())
}

/// All maps, by name. The order of equal names, of which no object has any, would not matter.
fn maps(loaded: &Loaded) -> Vec<(String, Vec<Vec<u8>>)> {
    let mut maps: Vec<_> = loaded.maps.iter().map(described).collect();
    maps.sort();
    maps
}

/// What the kernel runs, with the source lines that it knows, and the types that belong to it.
fn program(loaded: &Loaded, name: &str) -> (String, String) {
    let id = loaded.program(name).id();
    let info = bpftool(&["-j", "prog", "show", "id"], id);
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    assert_eq!(info["name"], name);
    let mut code = bpftool(&["prog", "dump", "xlated", "id"], id);
    for map in &loaded.maps {
        code = code.replace(&format!("[id:{}]", map.map.info().id), &format!("[{}]", map.map.info().name));
    }
    let types = bpftool(&["btf", "dump", "id"], info["btf_id"].as_u64().expect("types") as u32);
    (code, types)
}

#[test]
fn nobody_can_tell_our_objects_from_those_of_libbpf() {
    if !host::ready((5, 6)) || !host::has_tool("bpftool") {
        return;
    }
    let bpffs = Bpffs::mount();
    for source in Source::ALL.into_iter().filter(|source| host::ready(source.needs())) {
        let ours = load(source);
        let theirs = match load_by_bpftool(source, &bpffs.path("")) {
            Ok(theirs) => theirs,
            Err(error) => {
                assert_eq!(source, Source::Custom, "{error}");
                assert!(error.contains(".bss.custom"), "{error}");
                continue;
            }
        };
        let (our_maps, mut their_maps) = (maps(&ours), maps(&theirs));
        for (words, _) in &mut their_maps {
            // Newer libbpf leaves the flag out where all variables are static; 1.1 does not.
            if words.contains(".data.static") {
                *words = words.replace("BPF_F_MMAPABLE", "0x0");
            }
        }
        assert_eq!(our_maps, their_maps, "{source:?}");
        assert_eq!(ours.programs.len(), theirs.programs.len());
        for our_program in &ours.programs {
            let (our_code, our_types) = program(&ours, &our_program.name);
            let (their_code, their_types) = program(&theirs, &our_program.name);
            for (ours, theirs) in [(our_code, their_code), (our_types, their_types)] {
                // By line, so that a difference can be read.
                assert_eq!(ours.lines().count(), theirs.lines().count(), "{source:?}");
                for (ours, theirs) in ours.lines().zip(theirs.lines()) {
                    // Newer libbpf turns hidden variables static; 1.1 does not.
                    if theirs.contains("VAR 'hidden_value'") {
                        continue;
                    }
                    assert_eq!(ours, theirs, "{source:?}");
                }
            }
        }
        // They also run alike.
        ours.run(3);
        theirs.run(3);
        assert_eq!(
            maps(&ours).iter().map(|map| &map.1).collect::<Vec<_>>(),
            maps(&theirs).iter().map(|map| &map.1).collect::<Vec<_>>()
        );
    }
}

#[test]
fn what_bpftool_loaded_is_gone_when_dropped() {
    if !host::ready(Source::Tail.needs()) || !host::has_tool("bpftool") {
        return;
    }
    let bpffs = Bpffs::mount();
    let tail = load_by_bpftool(Source::Tail, &bpffs.path("")).expect("bpftool takes it");
    let id = tail.map("tail.data").info().id;
    drop(tail);
    host::eventually(|| bpfvar::Map::from_id(id).is_err());
    let mut pins =
        std::fs::read_dir(bpffs.path("")).expect("mounted").map(|entry| entry.expect("an entry").file_name());
    // A new bpffs already holds maps.debug and progs.debug.
    assert_eq!(pins.find(|name| name.as_encoded_bytes().starts_with(b"bpfvar")), None);
}

#[test]
fn as_aya_makes_bare_maps_whose_programs_have_types() {
    if !host::ready((5, 13)) {
        return;
    }
    let count = bpfvar_objects::load_as_aya(Source::Count);
    let info = count.map(".bss").info();
    assert_eq!((info.name.as_str(), info.flags.mmapable(), info.btf_id), (".bss", false, 0));
    assert_eq!(count.run(2), 1000);
    let btf = count.btf.as_ref().expect("our own loader");
    let mut bss = vec![0; info.value_size as usize];
    count.map(".bss").lookup(0, &mut bss).expect("an array");
    let packets = btf.section(".bss").expect("its types").variable("packets").offset as usize;
    assert_eq!(bss[packets..][..8], 2_u64.to_le_bytes());
    assert!(count.map(".rodata").is_frozen().expect("/proc"));
}

#[cfg(feature = "aya")]
#[test]
fn nobody_can_tell_our_bare_objects_from_those_of_aya() {
    if !host::ready((6, 0)) || !host::has_tool("bpftool") {
        return;
    }
    for source in Source::ALL {
        let theirs = match bpfvar_objects::load_by_aya(source) {
            Ok(theirs) => theirs,
            Err(error) => {
                assert_eq!(source, Source::Kinds, "{error}");
                continue;
            }
        };
        let ours = bpfvar_objects::load_as_aya(source);
        assert_eq!(maps(&ours), maps(&theirs), "{source:?}");
        for our_program in &ours.programs {
            assert_eq!(program(&ours, &our_program.name), program(&theirs, &our_program.name), "{source:?}");
        }
    }
}
