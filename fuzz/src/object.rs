//! Object files and BTF: what code is generated from.

use bpfvar_generate::Generator;

use crate::check;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    // BTF is as much an object as an ELF file is.
    match Generator::from_bytes("fuzz.bpf.o", bytes) {
        Ok(generator) => generate(&generator),
        Err(error) => drop(check::line(error)),
    }
}

/// What is generated is Rust.
fn generate(generator: &Generator) {
    match generator.rust() {
        Ok(code) => {
            check::lines(&code);
            if let Err(error) = syn::parse_file(&code) {
                panic!("not Rust: {error}:\n{code}");
            }
        }
        Err(error) => drop(check::line(error)),
    }
}
