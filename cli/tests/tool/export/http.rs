//! The server: what it answers, and whom it does not wait for.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use bpfvar_objects::Source;
use bpfvar_testkit::host;

use super::{PATIENCE, Server, get, request};
use crate::support::{fails, has, load, program, run, text};

#[test]
fn clients_choose_the_format() {
    let Some(loaded) = load(Source::Count) else { return };
    let server = Server::start(&[program(&loaded)]);
    let prometheus = "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n";
    let answer = get(&server.address, "/metrics", prometheus);
    has(
        &answer.head,
        &["content-type: application/openmetrics-text; version=1.0.0; charset=utf-8", "content-length: "],
    );
    assert!(answer.body.ends_with("# EOF\n"));
    for headers in ["", "Accept: */*\r\n", "Accept: text/plain\r\n"] {
        let answer = get(&server.address, "/metrics", headers);
        has(&answer.head, &["content-type: text/plain; version=0.0.4; charset=utf-8"]);
        has(&answer.body, &["# TYPE bpfvar_counted_total counter\n", "# TYPE bpfvar_state gauge\n"]);
        assert!(!answer.body.contains("EOF") && !answer.body.contains("_created"));
    }
}

#[test]
fn what_is_not_reading_is_refused() {
    let Some(loaded) = load(Source::Count) else { return };
    let server = Server::start(&[program(&loaded)]);
    let index = get(&server.address, "/", "");
    assert_eq!(index.status, 200);
    has(&index.body, &["href=\"/metrics\""]);
    assert_eq!(get(&server.address, "/metrics?name=x", "").status, 200);
    for path in ["/x", "/metrics/", "/../etc/passwd", "*"] {
        assert_eq!(get(&server.address, path, "").status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer =
            request(&server.address, &format!("{method} /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answer.status, 405, "{method}");
        has(&answer.head, &["allow: get, head"]);
    }
    let head = request(&server.address, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    has(&head.head, &["content-length: ", "connection: close"]);
    let long = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(request(&server.address, &long).status, 431);
    assert_eq!(request(&server.address, "nonsense\r\n\r\n").status, 400);
    assert_eq!(server.end(), "");
}

#[test]
fn a_request_that_does_not_end_is_cut_off() {
    let Some(loaded) = load(Source::Count) else { return };
    let server = Server::start(&[program(&loaded)]);
    let mut half = TcpStream::connect(&server.address).unwrap();
    half.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-A").unwrap();
    half.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    // Closed by the other side, in one way or another.
    match half.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(!text(&rest).contains("200 OK"));
    assert_eq!(get(&server.address, "/metrics", "").status, 200);
}

#[test]
fn whoever_holds_many_connections_keeps_nobody_out() {
    let Some(loaded) = load(Source::Count) else { return };
    let server = Server::start(&[program(&loaded)]);
    let mut idle: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    assert_eq!(get(&server.address, "/metrics", "").status, 200);
    // Not because they were all closed, but because the first were.
    let mut is_open = |index: usize| {
        idle[index].set_nonblocking(true).unwrap();
        matches!(idle[index].read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    assert!(is_open(199) && !is_open(0));
    let files = fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap().count();
    assert!(files < 120, "{files}");
}

#[test]
fn other_machines_are_served_only_if_asked_for() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    for address in ["0.0.0.0:0", "[::]:0"] {
        has(&fails(&["export", &p, "--listen", address]), &[address, "--allow-remote"]);
    }
    let usages: [&[&str]; 5] = [
        &["export"],
        &["export", &p, "--listen", "localhost"],
        &["export", &p, "--allow-remote"],
        &["export", &p, "--interval", "1s"],
        &["export", &p, "--listen", "127.0.0.1:0", "--textfile", "x"],
    ];
    for args in usages {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
    let server = Server::start(&[p.as_str(), "--allow-remote"]);
    let taken = fails(&["export", &p, "--listen", &server.address]);
    has(&taken, &[&server.address, "cannot be listened at", "in use"]);
    let port = server.address.rsplit(':').next().unwrap();
    let by_name = fails(&["export", &p, "--listen", &format!("localhost:{port}")]);
    has(&by_name, &[&format!("127.0.0.1:{port} cannot be listened at")]);
}

#[test]
fn the_process_can_only_read() {
    let Some(loaded) = load(Source::Count) else { return };
    let server = Server::start(&[program(&loaded)]);
    server.scrape();
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.child.id())).unwrap();
    let mapped: Vec<&str> = maps.lines().filter(|line| line.contains("bpf-map")).collect();
    assert!(mapped.len() >= 3 && mapped.iter().all(|line| line.contains(" r--s ")), "{maps}");
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    has(&status, &["Seccomp:\t2", "NoNewPrivs:\t1"]);
}

#[test]
fn one_capability_is_enough() {
    if !host::has_tool("setpriv") {
        return;
    }
    let Some(loaded) = load(Source::Count) else { return };
    let with = |capabilities: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--clear-groups", &format!("--inh-caps={capabilities}")]);
        command.args([&format!("--ambient-caps={capabilities}"), &format!("--bounding-set={capabilities}")]);
        command.args([env!("CARGO_BIN_EXE_bpfvar"), "export", &program(&loaded)]).output().unwrap()
    };
    let output = with("-all,+sys_admin");
    assert!(output.status.success(), "{output:?}");
    has(&text(&output.stdout), &["bpfvar_counted_total"]);
    assert_eq!(with("-all,+bpf,+perfmon,+net_admin").status.code(), Some(1));
}
