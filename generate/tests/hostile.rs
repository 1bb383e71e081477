//! Objects come from anybody. Whatever is in them, nothing panics or hangs: there is code, or an error that says what is wrong.

mod support;

use bpfvar_generate::{Error, Generator};
use bpfvar_objects::Source;
use object::{Object as _, ObjectSection as _};

/// xorshift: the same bytes at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn btf(source: Source) -> Vec<u8> {
    let file = object::File::parse(source.bytes()).unwrap();
    file.section_by_name(".BTF").unwrap().data().unwrap().to_vec()
}

/// How many of some broken copies give code all the same.
fn survivors(random: &mut Random, whole: &[u8], from: usize, rounds: usize) -> usize {
    let mut survivors = 0;
    for _ in 0..rounds {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + random.below(4) {
            let at = from + random.below(bytes.len() - from);
            bytes[at] = random.below(256) as u8;
        }
        if random.below(8) == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        let code = Generator::from_bytes("broken.bpf.o", &bytes).and_then(|generator| generator.rust());
        survivors += usize::from(code.is_ok());
    }
    survivors
}

#[test]
fn broken_objects_and_types_give_code_or_errors() {
    let rounds: usize = std::env::var("BPFVAR_HUNT").map_or(100, |_| 5_000);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for source in Source::ALL {
        let all = survivors(&mut random, source.bytes(), 0, rounds) + survivors(&mut random, &btf(source), 24, rounds);
        assert!(0 < all && all < 2 * rounds, "{source:?}: {all} of {rounds} twice");
    }
    let all = survivors(&mut random, &support::forged(), 24, 10 * rounds);
    assert!(0 < all && all < 10 * rounds, "{all} of forged ones");
}

#[test]
fn what_is_no_object_is_refused_with_what_it_is() {
    let refused = |bytes: &[u8]| Generator::from_bytes("x.o", bytes).unwrap_err();
    assert_eq!(refused(b"").to_string(), "x.o is neither an ELF file nor BTF: it starts with nothing");
    assert!(matches!(refused(b"int x;"), Error::NoObject { .. }));
    assert!(matches!(refused(b"\x7fELF"), Error::Elf { .. }));
    let mut swapped = btf(Source::Tail);
    swapped[..2].reverse();
    let error = refused(&swapped).to_string();
    assert!(error.starts_with("x.o: ") && error.contains("the other byte order"), "{error}");
    let mut renamed = Source::Tail.bytes().to_vec();
    // The section's name, which is also the end of another's.
    while let Some(at) = renamed.windows(5).position(|bytes| bytes == b".BTF\0") {
        renamed[at] = b'_';
    }
    assert!(refused(&renamed).to_string().contains("no section .BTF"));
    let error = Generator::from_file("/nonexistent/x.o").unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/x.o cannot be read: "), "{error}");
}

#[test]
fn what_is_asked_for_and_not_there_is_named_with_what_is() {
    let generator = || Generator::from_bytes("shapes.bpf.o", Source::Shapes.bytes()).unwrap();
    let error = generator().program("nothing").rust().unwrap_err().to_string();
    assert_eq!(error, "shapes.bpf.o has no program \"nothing\"; there are egress, ingress");
    let error = generator().with_type("struct poin").rust().unwrap_err().to_string();
    assert_eq!(error, "shapes.bpf.o has no struct, enum or typedef \"struct poin\"; there are point");
    let error = generator().with_type("value").rust().unwrap_err().to_string();
    assert_eq!(error, "union value of shapes.bpf.o cannot be a Rust type: it is a union");
    for path in ["", "1", "a b", "a::"] {
        let error = generator().crate_path(path).rust().unwrap_err();
        assert!(matches!(error, Error::NoRust { .. }), "{error}");
    }
    assert!(matches!(generator().name("").rust(), Err(Error::NoRust { .. })));
}

/// Devices have no end, and nothing of them is read or compared.
#[test]
fn what_is_no_file_is_neither_read_without_end_nor_compared() {
    let error = Generator::from_file("/dev/zero").unwrap_err();
    assert!(error.to_string().contains("longer than 256 MiB"), "{error}");
    let generator = Generator::from_bytes("count.bpf.o", Source::Count.bytes()).unwrap();
    assert!(generator.write_rust("/dev/null").unwrap());
    let error = generator.write_rust("/dev/full").unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error:?}");
}
