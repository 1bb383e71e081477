//! `bpfvar top`.

mod act;
mod app;
mod change;
mod draw;
mod edit;
mod events;
mod format;
mod handle;
mod keys;
mod layout;
mod node;
mod parts;
mod rows;
mod scan;
mod series;
mod status;
mod terminal;
mod tree;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap_complete::engine::ArgValueCompleter;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use signal_hook::consts::{SIGCONT, SIGTSTP};

use crate::cli::Switching;
use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Output, obeys_escapes};
use crate::target::Target;
use app::{App, Flow, Settings, interval};
use draw::Theme;
use events::Happening;
use scan::Scanner;
use terminal::Screen;

/// For each cell of the screen, before it is drawn again: a screen of 300 by 100 is drawn five times a second, as drawing it ten
/// times would take more than reading a thousand variables.
const PACE: Duration = Duration::from_micros(6);

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar top                          all programs and array maps that BTF describes
  bpfvar top count -i 100ms           one program, ten times a second
  bpfvar top count.config stats       a variable and a map
  bpfvar top -f rate                  what has `rate` in its name
  bpfvar top --read-only              nothing can be changed by a slip of the fingers

`?` shows all keys, `q` quits. Programs that share variables are one group. What can be mapped is read from memory, without a \
system call: what is on the screen at each sample, all else once a second, for its history.

CHANGE counts from the last sample, RATE is per second over the last second. The graph is of the last minute: of what only rises \
its rate, of everything else its value. Arrays whose names say that they are histograms (hist, slots, buckets; log2 with up to 64 \
slots, else linear) show percentiles; `b` says it of any other.

A program that goes away is shown as gone for a minute, a target for as long as it takes, and is taken up again when it is loaded \
anew. It needs a terminal: for pipes and --json there is `bpfvar watch`.")]
pub(crate) struct Args {
    /// What to show; everything if it is left out
    #[arg(value_name = "TARGET", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<Target>,
    /// Time between samples: 50ms, 1s, 1m
    #[arg(short, long, default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Show only what has this in its name, or in that of the process that holds it, in any case
    #[arg(short, long, default_value = "", hide_default_value = true)]
    filter: String,
    /// Refuse to change anything
    #[arg(long)]
    read_only: bool,
    #[command(flatten)]
    switching: Switching,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let Args { targets, interval, filter, read_only, switching } = args;
    check_terminal(out)?;
    let scanner = Scanner::new(targets.clone())?;
    let settings = Settings { interval: *interval, read_only: *read_only, switching: *switching };
    let mut app = App::new(scanner, settings, filter)?;
    let theme = Theme::new(out.is_colored());
    let terminal = |error: io::Error| Failure::new(format!("the terminal cannot be used: {error}"));
    // Signals are caught before the terminal is taken over: from then on each of them gives it back.
    let signals = events::signals().map_err(terminal)?;
    let mut screen = Screen::enter().map_err(terminal)?;
    let happenings = events::listen(signals);
    drive(&mut app, &theme, &mut screen, &happenings)
}

/// Until the user has enough.
fn drive(app: &mut App, theme: &Theme, screen: &mut Screen, happenings: &Receiver<Happening>) -> Result<()> {
    loop {
        screen.draw(|frame| draw::draw(frame, app, theme))?;
        let (drawn, pace) = (Instant::now(), app.geometry.cells() * PACE);
        // What the user does is to be seen at once; samples, not before it is time to draw again.
        let (mut is_new, mut acted) = (false, false);
        loop {
            is_new |= app.tick();
            let rest = pace.saturating_sub(drawn.elapsed());
            if acted || is_new && rest.is_zero() {
                break;
            }
            let wait = if is_new { app.idle().min(rest) } else { app.idle() };
            let first = match happenings.recv_timeout(wait) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            for happening in std::iter::once(first).chain(happenings.try_iter()) {
                match happen(app, screen, &happening)? {
                    Flow::Quit => return Ok(()),
                    Flow::Draw | Flow::Suspend => acted = true,
                    Flow::Same => {}
                }
            }
        }
    }
}

/// One of the things that happen. Stopping is done here.
fn happen(app: &mut App, screen: &mut Screen, happening: &Happening) -> Result<Flow> {
    let flow = match happening {
        Happening::Input(Event::Key(key)) if *key == KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL) => {
            screen.resume()?;
            Flow::Draw
        }
        Happening::Input(event) => app.take(event),
        Happening::Signal(SIGTSTP) => Flow::Suspend,
        Happening::Signal(SIGCONT) => {
            screen.resume()?;
            Flow::Draw
        }
        Happening::Signal(_) | Happening::Lost => Flow::Quit,
    };
    if flow == Flow::Suspend {
        screen.suspend()?;
    }
    Ok(flow)
}

fn check_terminal(out: &Output) -> Result<()> {
    let instead = "`bpfvar watch` prints values to pipes and files, also as JSON";
    if out.json || out.quiet {
        return Err(Failure::new(format!("top draws on a terminal, and prints nothing; {instead}")));
    }
    if !out.terminal {
        return Err(Failure::new(format!("standard output is no terminal, and top draws on all of one; {instead}")));
    }
    if !obeys_escapes() {
        return Err(Failure::new("TERM says that the terminal cannot be drawn on; set TERM, or use `bpfvar watch`"));
    }
    Ok(())
}
