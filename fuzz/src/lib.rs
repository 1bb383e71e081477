//! What parses bytes that it did not make, given any bytes. A target is a function of bytes that panics where something does not
//! hold, so it runs in three ways: in libFuzzer (`fuzz/run TARGET SECONDS`), over the files that are named (`cargo run --bin
//! fuzz-TARGET FILE`), and over all seeds as a test (`cargo test -p bpfvar-fuzz`).
//!
//! That nothing panics is the least of it. What is read and written again must be the same, what is refused must change nothing, and
//! an error is one line that steers no terminal.
//!
//! Everything goes through the public interfaces. So values lie in real maps, and without root those parts are left out.

pub mod btf;
mod check;
mod corpus;
pub mod json;
mod maps;
pub mod object;
pub mod paths;
pub mod seeds;
pub mod settings;
pub mod text;

/// A target's name and what runs it.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. The seeds of each are in `seeds/NAME`.
pub const TARGETS: [Target; 6] = [
    ("btf", btf::run),
    ("json", json::run),
    ("object", object::run),
    ("paths", paths::run),
    ("settings", settings::run),
    ("text", text::run),
];

/// Makes a program of a target: one for libFuzzer, or one that runs the target over the files that it is given.
#[macro_export]
macro_rules! fuzz {
    ($target:path) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $target(bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for path in std::env::args_os().skip(1) {
                println!("{}", path.display());
                $target(&std::fs::read(path)?);
            }
            Ok(())
        }
    };
}
