//! What is generated for the objects of the tests is kept in `golden/`. `GOLDEN=overwrite cargo test -p bpfvar-generate
//! --test kept` writes it anew; read the difference as a user would.

mod support;

use std::fs;
use std::path::Path;

use bpfvar_generate::{Generator, difference};
use bpfvar_objects::Source;

#[test]
fn the_code_is_what_is_kept() {
    let objects = Source::ALL.into_iter().map(|source| (source.name(), source.bytes().to_vec()));
    for (name, bytes) in objects.chain([("forged", support::forged())]) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.rs"));
        let generator = Generator::from_bytes(&format!("{name}.bpf.o"), &bytes).unwrap();
        if std::env::var_os("GOLDEN").is_some_and(|what| what == "overwrite") {
            generator.write_rust(&path).unwrap();
        }
        let (kept, code) = (fs::read_to_string(&path).unwrap(), generator.rust().unwrap());
        assert!(kept == code, "{name}: {:?}", difference(&kept, &code));
    }
}
