//! A file for the textfile collector of node_exporter, which reads it at any time: it is always whole.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::Builder;

use crate::error::{Failure, Result};

/// For everybody to read: the collector is another user.
const MODE: u32 = 0o644;

/// Writes all of a file, or leaves it as it is: a new file beside it takes its place when it is on the disk.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    replace(path, text).map_err(|error| Failure::new(format!("{}: cannot be written: {error}", path.display())))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The collector reads what ends with .prom.
    let mut file = Builder::new().prefix(".bpfvar-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(Permissions::from_mode(MODE))?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_for_all_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.prom");
        for text in ["a 1\n", "b 2\n"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
        assert!(write(&folder.path().join("no/x.prom"), "").is_err());
        assert!(write(folder.path(), "").is_err(), "a directory is not replaced");
    }
}
