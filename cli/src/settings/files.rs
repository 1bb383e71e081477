//! Which files there are to read, and their text.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Fault;

/// The directories of the system. A file in one hides those of its name in the directories behind it.
pub(crate) const DIRECTORIES: [&str; 4] =
    ["/etc/bpfvar.d", "/run/bpfvar.d", "/usr/local/lib/bpfvar.d", "/usr/lib/bpfvar.d"];
/// The path that stands for standard input.
pub(crate) const STDIN: &str = "-";
/// What is longer is no file of settings.
const LONGEST: u64 = 64 << 20;

/// The files to read, in order: those that are named, those of directories that are named, or those of the system.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    if paths.is_empty() {
        return merged(&DIRECTORIES.map(Path::new));
    }
    let mut files = Vec::new();
    for path in paths {
        if path != Path::new(STDIN) && path.is_dir() {
            files.extend(of_directory(path).map_err(|error| failed(path, error))?.into_values());
        } else {
            files.push(path.clone());
        }
    }
    // What is named twice is read once.
    let mut known = Vec::new();
    files.retain(|file| {
        let real = fs::canonicalize(file).unwrap_or_else(|_| file.clone());
        let is_new = !known.contains(&real);
        known.push(real);
        is_new
    });
    Ok(files)
}

/// The files of several directories in the order of their names. Directories need not be there.
fn merged(directories: &[&Path]) -> Result<Vec<PathBuf>, Fault> {
    let mut files = BTreeMap::new();
    for directory in directories {
        let own = match of_directory(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            own => own.map_err(|error| failed(directory, error))?,
        };
        for (name, path) in own {
            files.entry(name).or_insert(path);
        }
    }
    Ok(files.into_values().collect())
}

fn failed(path: &Path, error: impl std::fmt::Display) -> Fault {
    Fault { target: None, place: None, error: format!("{}: it cannot be read: {error}", name(path)) }
}

/// The files of a directory whose names end in `.toml` and do not start with a dot, by their names.
fn of_directory(directory: &Path) -> io::Result<BTreeMap<OsString, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if path.extension().is_some_and(|extension| extension == "toml") && !is_hidden && !path.is_dir() {
            files.insert(name.to_owned(), path);
        }
    }
    Ok(files)
}

/// How messages name a file.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new(STDIN) { "standard input".to_owned() } else { path.display().to_string() }
}

/// The text of a file.
pub(super) fn read(path: &Path, name: &Rc<str>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let read = if path == Path::new(STDIN) {
        io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| failed(path, error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(failed(path, format_args!("it has more than {} MiB", LONGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        Fault::at(name, line, "this is not UTF-8, as TOML must be")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn shown(files: Vec<PathBuf>, root: &Path) -> Vec<String> {
        files.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn files_are_sorted_by_name_and_earlier_directories_hide_those_behind() {
        let root = tree(&[
            ("etc/50-b.toml", ""),
            ("etc/90-z.toml", ""),
            ("run/50-b.toml", ""),
            ("run/10-a.toml", ""),
            ("lib/10-a.toml", ""),
            ("lib/60-c.toml", ""),
            ("lib/README", ""),
            ("lib/.60-c.toml", ""),
            ("lib/60-c.toml~", ""),
            ("lib/dir.toml/x", ""),
        ]);
        let directories = ["etc", "run", "missing", "lib"].map(|name| root.path().join(name));
        let files = merged(&directories.each_ref().map(PathBuf::as_path)).unwrap();
        assert_eq!(shown(files, root.path()), ["run/10-a.toml", "etc/50-b.toml", "lib/60-c.toml", "etc/90-z.toml"]);
    }

    #[test]
    fn what_is_named_is_read_in_its_order_and_once() {
        let root = tree(&[("d/b.toml", ""), ("d/a.toml", ""), ("z", "")]);
        let path = |name: &str| root.path().join(name);
        let files = find(&[path("z"), path("d"), path("d/a.toml"), path("d/../z")]).unwrap();
        assert_eq!(shown(files, root.path()), ["z", "d/a.toml", "d/b.toml"]);
        assert_eq!(find(&[PathBuf::from(STDIN)]), Ok(vec![PathBuf::from(STDIN)]));
        assert_eq!(find(&[path("missing")]), Ok(vec![path("missing")]));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let root = tree(&[("d/a.toml", "")]);
        fs::write(root.path().join("latin1"), b"# caf\xe9\n").unwrap();
        fs::write(root.path().join("later"), b"a.x = 1\n\n# \xff\n").unwrap();
        let read = |name: &str| super::read(&root.path().join(name), &name.into()).unwrap_err().to_string();
        assert!(read("missing").ends_with("/missing: it cannot be read: No such file or directory (os error 2)"));
        assert!(read("d").ends_with("/d: it cannot be read: Is a directory (os error 21)"));
        assert_eq!(read("latin1"), "latin1:1: this is not UTF-8, as TOML must be");
        assert_eq!(read("later"), "later:3: this is not UTF-8, as TOML must be");
        assert!(
            super::read(Path::new("/dev/zero"), &"zero".into()).unwrap_err().to_string().contains("more than 64 MiB")
        );
    }
}
