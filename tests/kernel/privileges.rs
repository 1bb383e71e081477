//! What works with which privileges, and what is said where it does not: docs/privileges.md is what this test saw.

use std::fmt::Write;
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Btf, Globals, Map, ReadOnly, Result};
use bpfvar_objects::Source;
use bpfvar_testkit::host;

const DOCS: &str = include_str!("../../docs/privileges.md");

const CAP_SYS_ADMIN: u64 = 1 << 21;
const CAP_BPF: u64 = 1 << 39;

/// Kinds of process, and how a process of root becomes one.
const KINDS: [(&str, fn()); 5] = [
    ("root", || {}),
    ("nobody", || host::become_nobody(0)),
    ("nobody, `CAP_BPF`", || host::become_nobody(CAP_BPF)),
    ("nobody, `CAP_SYS_ADMIN`", || host::become_nobody(CAP_SYS_ADMIN)),
    ("nobody, root of a user namespace", || {
        host::become_nobody(0);
        host::enter_user_namespace().unwrap();
    }),
];

/// What they try.
struct Subject<'a> {
    array: &'a Array<u64>,
    program: u32,
    bpffs: &'a host::Bpffs,
}

impl Subject<'_> {
    /// Each operation with what came of it. `spare` is a map that may be frozen.
    fn attempts(&self, spare: &Map) -> Vec<(&'static str, Result<()>)> {
        let map = self.array.map().expect("it is a map");
        let info = map.info();
        let pin = |mode: &str| self.bpffs.path(mode);
        let map_pin = |mode| Array::<u64>::from_pin(pin(mode)).map(drop);
        let read_pin = |mode| Map::from_pin_read_only(pin(mode))?.lookup(0, &mut [0; 8]);
        vec![
            ("create a map", Map::builder().name("new").value_size(8).create().map(drop)),
            ("list maps", Map::ids().next().expect("there is a map").map(drop)),
            ("open a map by its id", Map::from_id(info.id).map(drop)),
            ("fetch BTF", Btf::from_id(info.btf_id).map(drop)),
            ("globals by the program's name", Globals::by_name("privileges").map(drop)),
            ("globals by the program's id", Globals::by_id(self.program).map(drop)),
            ("pin of mode 0600: map it", map_pin("0600")),
            ("pin of mode 0600: open it read-only, look up", read_pin("0600")),
            ("pin of mode 0644: map it", map_pin("0644")),
            ("pin of mode 0644: open it read-only, look up", read_pin("0644")),
            ("pin of mode 0666: map it", map_pin("0666")),
            ("pin of mode 0666: open it read-only, look up", read_pin("0666")),
            ("descriptor: open it, info", Map::from_borrowed_fd(map.as_fd()).map(drop)),
            (
                "descriptor: map it, load",
                Array::<u64, ReadOnly>::from_borrowed_fd(map).map(|array| assert!(array.read(0) <= 1)),
            ),
            (
                "descriptor: map it, store",
                Array::<u64>::from_borrowed_fd(map).map(|array| array.at(0).store(1, Relaxed)),
            ),
            ("descriptor: look up", map.lookup(0, &mut [0; 8])),
            ("descriptor: update", map.update(0, &[0; 8])),
            ("descriptor: pin it", map.pin(pin("new")).and_then(|()| map.unpin(pin("new")))),
            ("descriptor: freeze another map", spare.freeze()),
        ]
    }
}

/// The whole table as it is observed here.
fn observe(subject: &Subject<'_>) -> String {
    let mut messages: Vec<String> = Vec::new();
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (_, become_it) in KINDS {
        let spare = Map::builder().name("spare").value_size(8).create().unwrap();
        let seen = host::in_a_fork(|| {
            become_it();
            let mut text = String::new();
            for (operation, result) in subject.attempts(&spare) {
                let outcome = result.map_or_else(|error| error.to_string(), |()| String::new());
                writeln!(text, "{operation}\t{outcome}").expect("a string grows");
            }
            text
        });
        for (index, line) in seen.lines().enumerate() {
            let (operation, outcome) = line.split_once('\t').unwrap();
            let cell = if outcome.is_empty() {
                "yes".to_owned()
            } else {
                let message = subject.without_numbers(outcome);
                let known = messages.iter().position(|known| *known == message);
                let number = known.unwrap_or_else(|| {
                    messages.push(message);
                    messages.len() - 1
                });
                format!("no: {}", number + 1)
            };
            if rows.len() == index {
                rows.push((operation.to_owned(), Vec::new()));
            }
            rows[index].1.push(cell);
        }
    }
    let mut text = format!("| operation | {} |\n|---|{}\n", KINDS.map(|(kind, _)| kind).join(" | "), "---|".repeat(5));
    for (operation, cells) in rows {
        writeln!(text, "| {operation} | {} |", cells.join(" | ")).unwrap();
    }
    text.push('\n');
    for (number, message) in messages.iter().enumerate() {
        writeln!(text, "{}. `{message}`", number + 1).unwrap();
    }
    text
}

impl Subject<'_> {
    /// A message without what differs each time.
    fn without_numbers(&self, message: &str) -> String {
        let info = self.array.map().expect("it is a map").info();
        let folder = self.bpffs.path("");
        let mut message = message.replace(folder.to_str().unwrap(), "/sys/fs/bpf/");
        for (id, kind) in [(info.id, "map"), (self.program, "program"), (info.btf_id, "BTF")] {
            message = message.replace(&format!("{kind} id {id}"), &format!("{kind} id N"));
        }
        message
    }
}

#[test]
fn the_table_of_privileges_is_what_the_kernel_grants() {
    if !host::alone((6, 12)) {
        return;
    }
    // The table is of machines that are closed to processes without rights, as distributions set it.
    let setting = Path::new("/proc/sys/kernel/unprivileged_bpf_disabled");
    let before = fs::read_to_string(setting).unwrap();
    if before.trim() == "0" {
        fs::write(setting, "2").unwrap();
    }
    let bpffs = host::Bpffs::mount();
    let array = Array::<u64>::builder().name("subject").create().unwrap();
    for (name, mode) in [("0600", 0o600), ("0644", 0o644), ("0666", 0o666)] {
        array.map().unwrap().pin(bpffs.path(name)).unwrap();
        fs::set_permissions(bpffs.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let loaded = bpfvar_objects::load_named(Source::Count, "privileges");
    let seen = observe(&Subject { array: &array, program: loaded.programs[0].id(), bpffs: &bpffs });
    if before.trim() == "0" {
        fs::write(setting, before).unwrap();
    }
    let (before, kept) = DOCS.split_once("<!-- observed -->\n").expect("a line that says where the table starts");
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "overwrite") {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/privileges.md");
        fs::write(docs, format!("{before}<!-- observed -->\n{seen}")).unwrap();
        return;
    }
    assert!(kept == seen, "docs/privileges.md has another table. Seen here:\n{seen}");
}

#[test]
fn a_token_creates_maps_in_a_user_namespace() {
    if !host::alone((6, 9)) {
        return;
    }
    let seen = bpfvar_testkit::with_token(|token| {
        let without = Array::<u64>::builder().name("token").create().unwrap_err();
        let array = Array::<u64>::builder().name("token").entries(3).token(token).create().unwrap();
        array.write(2, 7);
        let mut value = [0; 8];
        array.map().unwrap().lookup(2, &mut value).unwrap();
        let id = array.map().unwrap().info().id;
        let by_id = Map::from_id(id).unwrap_err();
        format!("{:?} {} {:?}", without.cause(), u64::from_ne_bytes(value), by_id.cause())
    });
    assert_eq!(seen, "Some(UserNamespace) 7 Some(UserNamespace)");
}
