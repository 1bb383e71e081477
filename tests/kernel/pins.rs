//! Pins.

use bpfvar::{Array, Cause, Error, Map};
use bpfvar_testkit::host;

fn map(name: &str) -> Map {
    Map::builder().name(name).value_size(8).create().unwrap()
}

#[test]
fn a_pin_outlives_the_map_that_made_it() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let array = Array::<u64>::builder().name("kept").create().unwrap();
    array.write(0, 12);
    array.map().unwrap().pin(bpffs.path("kept")).unwrap();
    drop(array);
    let again: Array<u64> = Array::from_pin(bpffs.path("kept")).unwrap();
    assert_eq!(again.read(0), 12);
    again.map().unwrap().unpin(bpffs.path("kept")).unwrap();
    assert_eq!(Map::from_pin(bpffs.path("kept")).unwrap_err().cause(), Some(Cause::NoSuchPath));
}

#[test]
fn a_pin_of_another_map_is_not_removed() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    map("theirs").pin(bpffs.path("m")).unwrap();
    let error = map("mine").unpin(bpffs.path("m")).unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error}");
    assert!(error.to_string().contains("\"theirs\"") && error.to_string().contains("\"mine\""), "{error}");
    assert_eq!(Map::from_pin(bpffs.path("m")).unwrap().info().name, "theirs");
}

#[test]
fn what_cannot_be_pinned_says_why() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    let map = map("pinned");
    map.pin(bpffs.path("taken")).unwrap();
    let cases = [
        (bpffs.path("taken"), Cause::PathTaken, "unpin it"),
        (bpffs.path("no/such/directory"), Cause::NoSuchPath, "does not exist"),
        (std::env::temp_dir().join("bpfvar-not-bpffs"), Cause::NotBpffs, "mount -t bpf"),
    ];
    for (path, cause, text) in cases {
        let error = map.pin(&path).unwrap_err();
        assert_eq!(error.cause(), Some(cause), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(text) && message.contains("\"pinned\"") && message.contains(path.to_str().unwrap()),
            "{message}"
        );
    }
    for bad in ["with.dot", ".hidden"] {
        let error = map.pin(bpffs.path(bad)).unwrap_err();
        assert!(matches!(error, Error::Argument { argument: "path", .. }), "{error}");
        assert!(error.to_string().contains("dot"), "{error}");
    }
    assert!(matches!(map.pin("/a\0b").unwrap_err(), Error::Argument { argument: "path", .. }));
}

#[test]
fn what_is_no_pin_says_so() {
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    for path in ["/etc/passwd".into(), "/dev/null".into(), "/".into(), bpffs.path("")] {
        let error = Map::from_pin(path).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::NotAPin), "{error}");
    }
    assert_eq!(Map::from_pin("/etc/passwd/m").unwrap_err().cause(), Some(Cause::NoSuchPath), "ENOTDIR");
    let error = Map::from_pin("/no/such/pin").unwrap_err();
    assert_eq!(error.cause(), Some(Cause::NoSuchPath), "{error}");
    assert!(error.to_string().contains("/no/such/pin"), "{error}");
    assert!(matches!(Map::from_pin("/a\0b").unwrap_err(), Error::Argument { argument: "path", .. }));
}

#[test]
fn the_mode_of_a_pin_decides_who_opens_it() {
    use std::os::unix::fs::PermissionsExt;
    if !host::ready((5, 8)) {
        return;
    }
    let bpffs = host::Bpffs::mount();
    map("closed").pin(bpffs.path("m")).unwrap();
    if host::bpf_is_closed_without_capabilities() {
        let error = host::without_capabilities(|| Map::from_pin(bpffs.path("m")).unwrap_err());
        assert_eq!(error.cause(), Some(Cause::UnprivilegedBpfDisabled), "{error}");
        return;
    }
    // Root without capabilities still owns the file; nobody may read it.
    std::fs::set_permissions(bpffs.path("m"), std::fs::Permissions::from_mode(0o000)).unwrap();
    let error = host::without_capabilities(|| Map::from_pin(bpffs.path("m")).unwrap_err());
    assert_eq!(error.cause(), Some(Cause::PathPermission), "{error}");
    std::fs::set_permissions(bpffs.path("m"), std::fs::Permissions::from_mode(0o444)).unwrap();
    host::without_capabilities(|| {
        let error = Map::from_pin(bpffs.path("m")).unwrap_err();
        assert_eq!(error.cause(), Some(Cause::PathPermission), "{error}");
        assert!(error.to_string().contains("from_pin_read_only"), "{error}");
        Map::from_pin_read_only(bpffs.path("m")).unwrap().lookup(0, &mut [0; 8]).unwrap();
    });
}
