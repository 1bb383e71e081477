//! `bpfvar export`.

mod catalog;
mod claims;
pub(crate) mod config;
mod confine;
mod encode;
mod exported;
mod exporter;
mod family;
mod group;
mod json;
mod lasting;
mod name;
mod origin;
mod plan;
mod rule;
mod serve;
mod source;
mod textfile;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use super::watch;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Output, clean};
use crate::target::Target;
use config::Selection;
use encode::Format;
use exporter::Exporter;
use json::Json;
use lasting::Ended;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar export count                                   once, to standard output
  bpfvar export count --listen 127.0.0.1:9435           for Prometheus, at /metrics
  bpfvar export --config /etc/bpfvar/export.toml --listen 127.0.0.1:9435 --wait
  bpfvar export count --textfile /var/lib/node_exporter/count.prom --interval 15s
  bpfvar export count --format prometheus | promtool check metrics

All numbers of a program are exported: counters as bpfvar_counted_total, arrays that are histograms by powers of two as bpfvar_distribution, \
enums as bpfvar_state, everything else as bpfvar_value, with the labels program, variable, member and index. A counter is an unsigned \
64-bit integer in memory that starts as zero (.bss, an array map), unless its name says that it is set, such as last_seen or max_rate. A file gives variables names and types of their own:

  targets = [\"count\"]                 # by the rules, without what [[metric]] names

  [[metric]]
  target = \"count.latency_hist\"
  name = \"app_latency\"                # app_latency_seconds, as it has a unit
  type = \"histogram\"                  # counter, gauge, histogram, state, none
  scale = 1e-9
  unit = \"seconds\"

docs/export.md in the repository has all of it.")]
pub(crate) struct Args {
    /// What to export: programs, maps, variables
    #[arg(value_name = "TARGET", required_unless_present = "config", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Serve metrics by HTTP at this address, such as 127.0.0.1:9435
    #[arg(short, long, value_name = "ADDR", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Let --listen take an address that other machines reach
    ///
    /// Whoever reaches it can read what is exported. There is neither encryption nor a password.
    #[arg(long, requires = "listen")]
    allow_remote: bool,
    /// Write a file, such as for the textfile collector of node_exporter
    ///
    /// It takes the place of the old one when it is whole. Once, or again and again by --interval.
    #[arg(short, long, value_name = "FILE", conflicts_with = "listen")]
    textfile: Option<PathBuf>,
    /// Time between two files: 15s, 1m
    #[arg(short, long, value_name = "TIME", requires = "textfile", value_parser = watch::interval)]
    interval: Option<Duration>,
    /// Read from this file what to export, and under which names
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Start although something is not loaded yet, and export it when it is
    #[arg(short, long)]
    wait: bool,
    /// Write this format: openmetrics, prometheus
    ///
    /// Without it a file is in the format of Prometheus, which node_exporter reads, and standard output is OpenMetrics. By HTTP the
    /// client chooses.
    #[arg(short, long, value_name = "FORMAT", conflicts_with_all = ["listen", "json"], hide_possible_values = true)]
    format: Option<Format>,
}

/// An address with a port; of names only that of this machine, and not what a resolver makes of others.
fn address(text: &str) -> Result<SocketAddr, String> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    let local = local.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    local
        .map_or_else(|| text.parse(), Ok)
        .map_err(|_| "an address with a port is needed, such as 127.0.0.1:9435, localhost:9435, [::1]:9435".to_owned())
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let mut selections = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    selections.extend(args.targets.iter().map(|target| Selection { target: target.clone(), wish: None }));
    if let Some(address) = args.listen.filter(|address| !serve::is_local(address) && !args.allow_remote) {
        return Err(Failure::new(format!(
            "{address} can be reached from other machines, and whoever reaches it can read what is exported; \
             --allow-remote allows that"
        )));
    }
    confine::confine()?;
    let mut exporter = Exporter::new(selections, args.wait, out)?;
    match (args.listen, &args.textfile) {
        (Some(address), _) => lasting::run(listen(address, exporter, out)),
        (None, Some(path)) => {
            let format = args.format.unwrap_or(Format::Prometheus);
            match args.interval {
                Some(every) => lasting::run(write_files(path, format, every, exporter, out)),
                None => textfile::write(path, &exporter.scrape(format, out)?),
            }
        }
        (None, None) if out.json => {
            exporter.observe(out)?;
            out.json(&Json::new(&exporter.families()))
        }
        (None, None) => {
            let text = exporter.scrape(args.format.unwrap_or(Format::OpenMetrics), out)?;
            out.raw(text.as_bytes())
        }
    }
}

/// What is printed when the exporter can be reached.
#[derive(Serialize)]
struct Listening {
    listening: String,
    metrics: usize,
}

async fn listen(address: SocketAddr, mut exporter: Exporter, out: &mut Output) -> Result<()> {
    let failed = |error: std::io::Error| Failure::new(format!("{address} cannot be listened at: {error}"));
    let ended = Ended::new()?;
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let metrics = exporter.size();
    let listening = format!("http://{address}/metrics");
    if out.json {
        out.json_line(&Listening { listening, metrics })?;
    } else if !out.quiet {
        out.line(format_args!("listening at {listening}: {metrics} metrics"))?;
    }
    out.flush()?;
    let mut told = false;
    serve::serve(listener, ended, |format| {
        let scraped = exporter.scrape(format, out).map_err(|failure| clean(&failure.line(out.verbose)));
        // Once, until it works again: whoever scrapes sees it each time.
        if let (Err(line), false) = (&scraped, told) {
            // Nobody is left to tell if standard error is closed.
            drop(out.warn(line));
        }
        told = scraped.is_err();
        scraped
    })
    .await;
    Ok(())
}

async fn write_files(
    path: &Path,
    format: Format,
    every: Duration,
    mut exporter: Exporter,
    out: &mut Output,
) -> Result<()> {
    let mut ended = Ended::new()?;
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => textfile::write(path, &exporter.scrape(format, out)?)?,
            () = ended.wait() => return Ok(()),
        }
    }
}
