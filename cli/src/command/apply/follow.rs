//! `bpfvar apply --follow`: a service that applies settings again whenever a program is loaded anew.

use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use super::arrivals::Arrivals;
use super::pass::{Passes, Wrong};
use super::plan::Rules;
use super::report::Report;
use crate::error::{Failure, Result};
use crate::output::Output;
use crate::settings::{STDIN, Settings};
use crate::signals::{self, Asked};

/// What failed may work later: somebody held a lock, two programs shared a name.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

pub(super) fn run(paths: &[PathBuf], interval: Duration, rules: Rules, out: &mut Output) -> Result<()> {
    if paths.iter().any(|path| path == Path::new(STDIN)) {
        return Err(Failure::new(
            "--follow reads its files again at SIGHUP, and standard input cannot be read again; name files",
        ));
    }
    let mut settings = match Settings::read(paths) {
        Ok(settings) => settings,
        Err(failed) => {
            tell(&Report { failed, ..Report::default() }, out)?;
            return Err(Failure::Told);
        }
    };
    let asked = signals::listen(true)?;
    let mut passes = Passes::new(rules, false);
    // What comes from here on is noticed.
    let mut arrivals = Arrivals::look(&settings)?;
    apply(&mut passes, &settings, out)?;
    let mut last = Instant::now();
    loop {
        match asked.recv_timeout(interval) {
            Ok(Asked::End) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(Asked::Reload) => {
                let now = NotifyState::monotonic_usec_now();
                notify(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>(), out)?;
                match Settings::read(paths) {
                    Ok(read) => {
                        settings = read;
                        arrivals = Arrivals::look(&settings)?;
                        passes = Passes::new(rules, false);
                    }
                    Err(failed) => {
                        tell(&Report { failed, ..Report::default() }, out)?;
                        out.warn("the settings that were read before stay in force")?;
                    }
                }
                apply(&mut passes, &settings, out)?;
            }
            Err(RecvTimeoutError::Timeout) => {
                let is_due = passes.has_failed() && last.elapsed() >= BETWEEN_TRIES;
                if arrivals.changed()? || is_due {
                    apply(&mut passes, &settings, out)?;
                    last = Instant::now();
                }
            }
        }
    }
    notify(&[NotifyState::Stopping], out)
}

fn apply(passes: &mut Passes, settings: &Settings, out: &mut Output) -> Result<()> {
    let report = passes.pass(settings, Wrong::StopsItself, || false);
    tell(&report, out)?;
    let waiting = passes.not_loaded(settings).count();
    let status =
        format!("{} settings of {} programs, {waiting} of them not loaded", settings.len(), settings.groups.len());
    notify(&[NotifyState::Ready, NotifyState::Status(&status)], out)
}

/// Prints what happened, if anything did.
fn tell(report: &Report, out: &mut Output) -> Result<()> {
    if report.is_empty() {
        return Ok(());
    }
    if out.json && !out.quiet {
        out.json_line(report)?;
        return out.flush();
    }
    let is_news = !(report.changed.is_empty() && report.unchanged.is_empty());
    if is_news && !out.quiet {
        report.print_changes(out)?;
        out.line(report.summary())?;
    }
    report.print_warnings(out)?;
    report.print_failures(out)?;
    report.print_missing(out)?;
    out.flush()
}

/// Tells the service manager, if there is one.
fn notify(states: &[NotifyState<'_>], out: &mut Output) -> Result<()> {
    match sd_notify::notify(states) {
        Ok(()) => Ok(()),
        Err(error) => out.warn(&format!("the service manager cannot be told ($NOTIFY_SOCKET): {error}")),
    }
}
