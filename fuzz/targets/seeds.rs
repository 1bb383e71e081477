//! Writes the seeds that are made of something: `cargo run -p bpfvar-fuzz --bin seeds`, as root for those of values. What the fuzzer
//! has found since lies beside them and is left alone.

use std::fs;
use std::io;
use std::path::Path;

use bpfvar_fuzz::seeds;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (name, bytes) in seeds::all() {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}
