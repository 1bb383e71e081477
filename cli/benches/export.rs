//! Scrapes of `bpfvar export` by HTTP, and what they cost the exporter.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bpfvar::{Map, Result};
use bpfvar_testkit::{counters_map, host};

#[allow(dead_code, reason = "other benches use more of it")]
#[path = "../../benches/support/comparison.rs"]
mod comparison;

use comparison::Bench;

const VARIABLES: u32 = 1000;
const MMAPABLE: u32 = 1 << 10;

fn main() {
    Bench::run("Scrapes", |bench| {
        if !host::ready((5, 8)) {
            return Ok(());
        }
        let section = |variables, flags| counters_map(variables, flags).map(Exporter::start).expect("a section");
        let [one, many, unmapped] =
            [(1, MMAPABLE), (VARIABLES, MMAPABLE), (VARIABLES, 0)].map(|(variables, flags)| section(variables, flags));
        let (one, many, unmapped) = (one?, many?, unmapped?);
        bench
            .operation("scrape by HTTP")
            .subject("1 variable", |b| b.iter(|| one.scrape()))
            .subject("1,000 variables", |b| b.iter(|| many.scrape()))
            .subject("1,000 variables that cannot be mapped", |b| b.iter(|| unmapped.scrape()))
            .measure();
        many.print_cost();
        Ok(())
    });
}

/// An exporter, until it is dropped.
struct Exporter {
    child: Child,
    address: String,
    _map: Map,
}

impl Exporter {
    fn start(section: OwnedFd) -> Result<Exporter> {
        let map = Map::from_fd(section)?;
        let mut child = Command::new(env!("CARGO_BIN_EXE_bpfvar"))
            .args(["export", "--listen", "127.0.0.1:0", &format!("map:{}", map.info().id)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it was built");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let address = line.strip_prefix("listening at http://").and_then(|rest| rest.split_once("/metrics"));
        let address = address.expect("an address").0.to_owned();
        Ok(Exporter { child, address, _map: map })
    }

    fn scrape(&self) -> usize {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let request = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
        stream.write_all(request).expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("it answers");
        assert!(answer.ends_with(b"# EOF\n"));
        answer.len()
    }

    /// What the kernel counted of its time, and the size of the answer.
    fn print_cost(&self) {
        const SCRAPES: u32 = 2000;
        let (before, start) = (self.ticks(), Instant::now());
        let bytes = (0..SCRAPES).fold(0, |_, _| self.scrape());
        // USER_HZ, by which /proc counts, is 100.
        let cpu = (self.ticks() - before) as f64 * 1e4 / f64::from(SCRAPES);
        let all = start.elapsed().as_secs_f64() * 1e6 / f64::from(SCRAPES);
        println!(
            "\n{VARIABLES} variables, {bytes} bytes: {cpu:.0} µs of CPU time of the exporter a scrape, {all:.0} µs in all"
        );
    }

    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("/proc is mounted");
        let behind_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        // utime and stime.
        behind_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
