//! Object files and BTF: what code is generated from.

use bpfvar_generate::Generator;

use crate::check;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    match Generator::from_bytes("fuzz.bpf.o", bytes) {
        Ok(generator) => generate(&generator),
        Err(error) => drop(check::line(error)),
    }
}

/// What is generated is Rust, and the same each time.
pub(crate) fn generate(generator: &Generator) {
    match generator.rust() {
        Ok(code) => {
            check::lines(&code);
            if let Err(error) = syn::parse_file(&code) {
                panic!("not Rust: {error}:\n{code}");
            }
            assert_eq!(generator.rust().ok(), Some(code), "it is the same each time");
        }
        Err(error) => drop(check::line(error)),
    }
}
