//! cilium/ebpf: a process in Go that does an operation so many times and answers how long that took.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use super::comparison::figures::target;

/// Where Debian puts Go packages.
const PACKAGES: &str = "/usr/share/gocode";

/// The process. It ends when this is dropped.
pub(crate) struct Cilium {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Cilium {
    /// Builds and starts it. `None`, with a line that says why, where that cannot be done.
    pub(crate) fn start() -> Option<Cilium> {
        if !Path::new(PACKAGES).join("src/github.com/cilium/ebpf").is_dir() {
            println!("cilium/ebpf is left out: apt-get install golang golang-github-cilium-ebpf-dev");
            return None;
        }
        let program = target().join("cilium");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/cilium/main.go");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(source)
            .envs([("GO111MODULE", "off"), ("GOPATH", PACKAGES), ("GOFLAGS", "")])
            .env("GOCACHE", target().join("go-cache"))
            .status();
        match built {
            Ok(status) => assert!(status.success(), "go build: {status}"),
            Err(error) => {
                println!("cilium/ebpf is left out: go: {error}");
                return None;
            }
        }
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it was just built");
        let pipes = (child.stdin.take().expect("a pipe"), BufReader::new(child.stdout.take().expect("a pipe")));
        Some(Cilium { child, pipes: Mutex::new(pipes) })
    }

    /// Does an operation on a map so many times: on the bytes from `offset` on, where it is a section. Returns what it took.
    pub(crate) fn run(&self, operation: &str, map: u32, offset: usize, times: u64) -> Duration {
        let mut pipes = self.pipes.lock().expect("nobody panicked");
        let (stdin, stdout) = &mut *pipes;
        writeln!(stdin, "{operation} {map} {offset} {times}").expect("it reads");
        let mut answer = String::new();
        stdout.read_line(&mut answer).expect("it answers");
        Duration::from_nanos(answer.trim().parse().unwrap_or_else(|_| panic!("{operation}: {answer:?}")))
    }
}

impl Drop for Cilium {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
