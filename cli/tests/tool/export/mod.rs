//! `export`.

mod config;
mod follow;
mod http;
mod metrics;
mod prometheus;
mod textfile;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{text, tool};

/// Everything is done long before, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// An exporter that serves, until it is dropped.
struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
}

impl Server {
    /// Starts one at a free port, with more arguments.
    fn start<S: AsRef<str>>(args: &[S]) -> Server {
        let listen = ["export", "--listen", "127.0.0.1:0"];
        let args: Vec<&str> = listen.into_iter().chain(args.iter().map(AsRef::as_ref)).collect();
        let mut child = tool(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening at http://").and_then(|rest| rest.split_once("/metrics"));
        let Some((address, _)) = address else { panic!("{line:?} {:?}", child.wait_with_output()) };
        let address = address.to_owned();
        Server { child, address }
    }

    /// All metrics as OpenMetrics.
    #[track_caller]
    fn scrape(&self) -> String {
        let answer = get(&self.address, "/metrics", "Accept: application/openmetrics-text\r\n");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Ends it as systemd does, and gives what it said on standard error.
    #[track_caller]
    fn end(mut self) -> String {
        signal(&self.child, "-TERM");
        let mut said = String::new();
        self.stderr().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        said
    }

    fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// What a server said.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// A request with these headers.
#[track_caller]
fn get(address: &str, path: &str, headers: &str) -> Answer {
    request(address, &format!("GET {path} HTTP/1.0\r\n{headers}\r\n"))
}

/// What is answered to some bytes.
#[track_caller]
fn request(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let answer = text(&bytes);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// The value in the only line of a metric that has all of these labels.
#[track_caller]
fn value<'a>(metrics: &'a str, name: &str, labels: &[(&str, &str)]) -> Option<&'a str> {
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let is_it = |line: &&str| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']));
        let all = rest.map(|rest| rest.trim_start_matches('{').split(['}', ' ']).next().unwrap_or_default());
        all.is_some_and(|all| labels.iter().all(|label| all.split(',').any(|known| known == label)))
    };
    let mut lines = metrics.lines().filter(is_it);
    let found = lines.next().and_then(|line| line.rsplit(' ').next());
    assert_eq!(lines.next(), None, "{name} {labels:?} is several");
    found
}

/// Waits for something that another process does.
#[track_caller]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: it has not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A folder that is removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("bpfvar-export-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A file in it, with this text.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
