//! A file for the textfile collector of node_exporter, which reads it at any time: it is always whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::Builder;

use crate::error::{Failure, Result};

/// For everybody to read: the collector is another user.
const MODE: u32 = 0o644;

/// Writes all of a file, or leaves it as it is: a new file beside it takes its place when it is on the disk. A link stays: what it
/// leads to is replaced. What is no regular file, such as a device, is never replaced.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |error: io::Error| Failure::new(format!("{}: cannot be written: {error}", path.display()));
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        // It is not there yet. A link that leads nowhere would be replaced.
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => path.to_owned(),
        Err(error) => return Err(failed(error)),
    };
    match fs::metadata(&target) {
        Ok(found) if !found.is_file() => {
            return Err(Failure::new(format!(
                "{}: this is no regular file, and a textfile takes the place of the old one; name a file in the collector's directory, or \
                 leave --textfile out to write to standard output",
                path.display()
            )));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    replace(&target, text).map_err(failed)
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

    #[test]
    fn what_is_no_file_is_never_replaced_and_a_link_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let refused = |path: &Path| write(path, "a 1\n").unwrap_err().line(false);
        // A device by a link, so that nothing is lost if this fails.
        std::os::unix::fs::symlink("/dev/null", at("null")).unwrap();
        assert!(refused(&at("null")).contains("no regular file"));
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        assert!(refused(&at("socket")).contains("no regular file"));
        assert!(!fs::symlink_metadata(at("socket")).unwrap().is_file());
        fs::write(at("real.prom"), "old\n").unwrap();
        std::os::unix::fs::symlink("real.prom", at("link.prom")).unwrap();
        write(&at("link.prom"), "new\n").unwrap();
        assert!(fs::symlink_metadata(at("link.prom")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at("real.prom")).unwrap(), "new\n");
        std::os::unix::fs::symlink("nowhere", at("broken")).unwrap();
        assert!(write(&at("broken"), "").is_err());
    }
}
