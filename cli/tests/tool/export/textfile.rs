//! Files for a textfile collector.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use bpfvar_objects::Source;

use super::{Folder, eventually, signal, value};
use crate::support::{fails, has, load, ok, program, tool};

#[test]
fn a_file_is_whole_whenever_it_is_read() {
    let Some(loaded) = load(Source::Count) else { return };
    let folder = Folder::new("textfile");
    let path = folder.path("count.prom");
    let args = ["export", &program(&loaded), "--textfile", &path, "--interval", "1ms"];
    let mut child = tool(&args).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the file", || fs::metadata(&path).ok());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let mut seen = Vec::new();
    for _ in 0..5000 {
        let metrics = fs::read_to_string(&path).unwrap();
        assert!(metrics.starts_with("# HELP bpfvar_value "), "{metrics}");
        let last = metrics.lines().last().unwrap();
        assert!(last.starts_with("bpfvar_build_info{") && metrics.ends_with("} 1\n"), "{metrics}");
        seen.push(value(&metrics, "bpfvar_read_duration_seconds", &[]).unwrap().to_owned());
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() > 1, "it was written again");
    signal(&child, "-TERM");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_file_is_written_once_in_the_format_that_collectors_read() {
    let Some(loaded) = load(Source::Count) else { return };
    let folder = Folder::new("once");
    let (p, path) = (program(&loaded), folder.path("count.prom"));
    assert_eq!(ok(&["export", &p, "--textfile", &path]), "");
    has(&fs::read_to_string(&path).unwrap(), &["# TYPE bpfvar_counted_total counter"]);
    ok(&["export", &p, "--textfile", &path, "--format", "openmetrics"]);
    assert!(fs::read_to_string(&path).unwrap().ends_with("# EOF\n"));
    has(&fails(&["export", &p, "--textfile", &folder.path("no/count.prom")]), &["no/count.prom", "cannot be written"]);
}
