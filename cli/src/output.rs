//! What is printed, and where: values on standard output, the rest on standard error.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stderr, Stdout, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::{Color, Options};
use crate::error::{Failure, Result};

/// Standard output, and how the user wants things shown.
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    /// Whether standard output is a terminal.
    pub(crate) terminal: bool,
    /// How wide lines may be; None where they may be as long as they are.
    pub(crate) width: Option<usize>,
    colored: bool,
    colored_errors: bool,
    stdout: BufWriter<Stdout>,
}

/// What a text is, for its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ink {
    Heading,
    Name,
    Faint,
    Changed,
    Error,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Ink::Heading => Style::new().bold(),
            Ink::Name => AnsiColor::Cyan.on_default(),
            Ink::Faint => Style::new().dimmed(),
            Ink::Changed => AnsiColor::Green.on_default(),
            Ink::Error => AnsiColor::Red.on_default().bold(),
        }
    }
}

impl Output {
    pub(crate) fn new(options: &Options) -> Output {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        // anstream knows NO_COLOR and CLICOLOR; in CI it does not look at TERM.
        let wanted = |auto: anstream::ColorChoice| match options.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => auto != anstream::ColorChoice::Never && obeys_escapes(),
        };
        Output {
            json: options.json,
            quiet: options.quiet,
            verbose: options.verbose,
            terminal,
            width: width(&stdout),
            colored: wanted(anstream::AutoStream::choice(&stdout)),
            colored_errors: wanted(anstream::AutoStream::<Stderr>::choice(&io::stderr())),
            stdout: BufWriter::new(stdout),
        }
    }

    /// Whether there are colours.
    pub(crate) fn is_colored(&self) -> bool {
        self.colored
    }

    /// The text in its colour, if there are colours. Control characters are escaped.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        paint(self.colored, ink, text)
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: impl Display) -> Result<()> {
        Ok(writeln!(self.stdout, "{line}")?)
    }

    /// Writes text as it is.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stdout.write_all(bytes)?)
    }

    /// Writes a value as JSON: one line for a program to read, indented for a terminal.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        if self.terminal {
            let text = serde_json::to_string_pretty(value)?;
            self.line(clean_json(text))
        } else {
            self.json_line(value)
        }
    }

    /// Writes a value as one line of JSON, also to a terminal.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(clean_json(text))
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        Ok(self.stdout.flush()?)
    }

    /// Width and height of the terminal as it is now.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (width, height) = terminal_size::terminal_size_of(io::stdout())
            .map_or((80, 24), |(width, height)| (width.0.into(), height.0.into()));
        (width, height)
    }

    /// Says something that is no reason to end.
    pub(crate) fn warn(&mut self, line: &str) -> Result<()> {
        self.flush()?;
        // Nobody is left to tell if standard error is closed.
        let _ = writeln!(io::stderr(), "bpfvar: {}", clean(line));
        Ok(())
    }

    /// Says why the command failed, and with which status to end.
    pub(crate) fn fail(&mut self, failure: &Failure) -> ExitCode {
        if let Failure::Output(error) = failure {
            if error.kind() == io::ErrorKind::BrokenPipe {
                // Whoever read has enough: end as the signal ends other tools.
                let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGPIPE);
                return ExitCode::FAILURE;
            }
        } else if let Err(failure @ Failure::Output(_)) = self.flush() {
            return self.fail(&failure);
        }
        if !matches!(failure, Failure::Told) {
            let name = paint(self.colored_errors, Ink::Error, "bpfvar:");
            let _ = writeln!(io::stderr(), "{name} {}", short(&clean(&failure.line(self.verbose))));
        }
        ExitCode::FAILURE
    }
}

/// Ends the process with what is wrong with the command line, or with the help that was asked for.
pub(crate) fn fail_usage(error: &clap::Error) -> ! {
    let is_safe = |argument: OsString| !argument.to_string_lossy().contains(is_obeyed);
    if !error.use_stderr() || std::env::args_os().all(is_safe) {
        error.exit();
    }
    // Arguments are repeated in it, and scripts pass on names that others chose. Its own colors go with theirs.
    let text = error.render().to_string();
    let lines = text.lines().map(|line| short(&clean(line)) + "\n");
    // If standard error is closed, the status tells.
    let _ = io::stderr().write_all(lines.collect::<String>().as_bytes());
    std::process::exit(error.exit_code())
}

/// Whether the terminal, if it is one, is said to know escape sequences.
pub(crate) fn obeys_escapes() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

fn paint(colored: bool, ink: Ink, text: &str) -> String {
    let (style, text) = (ink.style(), clean(text));
    if colored { format!("{style}{text}{style:#}") } else { text }
}

/// What a terminal obeys, and what turns the direction of writing, so that a name looks like another.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without anything that a terminal would obey.
pub(crate) fn clean(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if is_obeyed(c) {
            clean.extend(c.escape_default())
        } else {
            clean.push(c)
        }
        clean
    })
}

/// What was given may be a megabyte long; who reads what is wrong with it needs its start and its end.
fn short(line: &str) -> String {
    const START: usize = 3000;
    const END: usize = 600;
    match line.chars().count().checked_sub(START + END) {
        Some(left_out @ 1..) => {
            let end: String = line.chars().skip(START + left_out).collect();
            format!("{} ... ({left_out} characters more) ... {end}", line.chars().take(START).collect::<String>())
        }
        _ => line.to_owned(),
    }
}

/// The text in quotes and without anything that a terminal would obey, as JSON and TOML read it.
pub(crate) fn quoted(text: &str) -> String {
    clean_json(serde_json::Value::from(text).to_string())
}

/// The same for JSON, which has an escape of its own; outside of strings it is ASCII.
fn clean_json(text: String) -> String {
    let obeyed = |c| c != '\n' && is_obeyed(c);
    if !text.contains(obeyed) {
        return text;
    }
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if obeyed(c) {
            clean.push_str(&format!("\\u{:04x}", u32::from(c)))
        } else {
            clean.push(c)
        }
        clean
    })
}

/// The user's word, else the terminal's.
fn width(stdout: &Stdout) -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    told.or_else(|| terminal_size::terminal_size_of(stdout).map(|(width, _)| width.0.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(clean("count.data"), "count.data");
        assert_eq!(clean("\u{1b}[31mred\u{7}\n"), "\\u{1b}[31mred\\u{7}\\n");
        assert_eq!(clean("a\u{202e}b\u{9b}"), "a\\u{202e}b\\u{9b}");
        let json = clean_json("[\n\"a\u{202e}b\u{9b}\"]".to_owned());
        assert_eq!(json, "[\n\"a\\u202eb\\u009b\"]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), ["a\u{202e}b\u{9b}"]);
    }
}
