//! `bpfvar generate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bpfvar::Program;
use bpfvar_generate::{Difference, Generator, difference};
use clap::ValueEnum;
use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::complete;
use crate::error::{Failure, Result};
use crate::output::{Output, clean};
use crate::resolve::Resolver;
use crate::target::Target;

/// The languages that there is code in.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    Rust,
}

/// What code is generated for.
#[derive(Clone, Debug)]
enum Origin {
    File(PathBuf),
    Live(Target),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        let is_target = ["id:", "prog:", "map:", "pin:"].iter().any(|prefix| text.starts_with(prefix));
        let is_file = text.contains('/') || [".o", ".elf", ".btf"].iter().any(|ending| text.ends_with(ending));
        if is_file && !is_target { Ok(Origin::File(text.into())) } else { text.parse().map(Origin::Live) }
    }
}

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar generate rust count                              for a running program
  bpfvar generate rust count.bpf.o -o src/count.rs        for an object file
  bpfvar generate rust count.bpf.o --check src/count.rs   for CI: is the file up to date?
  bpfvar generate rust count --type event                 also for a struct that no variable has

The code is a struct with a handle for each variable and each array map (derive(Bind)), and the structs and enums that they need \
(derive(MapValue), derive(Repr)), for the crate bpfvar. What Rust cannot have is commented. The code is the same for the same program, so it can be \
committed. In build.rs, the crate bpfvar-generate does the same.

A running program has the sections and maps that it uses. An object file has those of all of its programs; the code says which of them have \
all, and --program leaves what one uses.")]
pub(crate) struct Args {
    /// The language of the code
    language: Language,
    /// A program, a map or a section, as in all commands; or an object file or a file of BTF, which has a / in it or ends
    /// with .o, .elf or .btf
    #[arg(value_name = "TARGET|FILE", add = ArgValueCompleter::new(complete::origins))]
    origin: Origin,
    /// Write the code to a file, or with - to standard output; a file that has it already is not touched
    #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Fail if this file is not the same code; how it is formatted does not count
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
    /// The name of the struct; that of the program or file if it is left out
    #[arg(long)]
    name: Option<String>,
    /// Where the code finds the crate bpfvar, if it is renamed or re-exported
    #[arg(long = "crate", value_name = "PATH")]
    krate: Option<String>,
    /// Leave out what this program of an object file does not use
    #[arg(long, value_name = "NAME")]
    program: Option<String>,
    /// Add a struct or an enum that no variable has; may be given several times
    #[arg(long = "type", value_name = "NAME")]
    types: Vec<String>,
}

/// What was done, as JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Done<'a> {
    Printed { code: &'a str },
    Written { file: &'a Path, changed: bool },
    Checked { file: &'a Path },
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<()> {
    let Args { language: Language::Rust, origin, output, check, name, krate, program, types } = args;
    let mut generator = match origin {
        Origin::File(path) => of_file(path)?,
        Origin::Live(target) if program.is_some() => {
            return Err(Failure::new(format!(
                "{}: --program is for object files; a running program has only what it uses",
                target.text
            )));
        }
        Origin::Live(target) => live(target)?,
    };
    for (value, set) in [
        (name, Generator::name as fn(Generator, &str) -> Generator),
        (krate, Generator::crate_path),
        (program, Generator::program),
    ] {
        if let Some(value) = value {
            generator = set(generator, value);
        }
    }
    generator = types.iter().fold(generator, |generator, name| generator.with_type(name));
    match (output, check) {
        (Some(file), _) if file == Path::new("-") => out.raw(generator.rust()?.as_bytes()),
        (Some(file), _) => {
            let changed = generator.write_rust(file)?;
            let line = format!("{}: {}", file.display(), if changed { "written" } else { "up to date" });
            say(&Done::Written { file, changed }, &line, out)
        }
        (None, Some(file)) => {
            check_file(&generator, file)?;
            say(&Done::Checked { file }, &format!("{}: up to date", file.display()), out)
        }
        (None, None) => {
            let code = generator.rust()?;
            if out.json { out.json(&Done::Printed { code: &code }) } else { out.raw(code.as_bytes()) }
        }
    }
}

fn say(done: &Done<'_>, line: &str, out: &mut Output) -> Result<()> {
    match (out.json, out.quiet) {
        (true, _) => out.json(done),
        (false, true) => Ok(()),
        (false, false) => out.line(clean(line)),
    }
}

fn of_file(path: &Path) -> Result<Generator> {
    Generator::from_file(path).map_err(|error| match error {
        // Reading a pin fails, too.
        bpfvar_generate::Error::Read { .. } => Failure::new(format!(
            "{error}; a pin is named pin:PATH, and `bpfvar list` shows the programs that are loaded"
        )),
        error => error.into(),
    })
}

fn live(target: &Target) -> Result<Generator> {
    let found = Resolver::default().find(target)?;
    if !found.is_whole() {
        return Err(Failure::new(format!(
            "{} is a variable; name its program, its section or its map, or see `bpfvar show`",
            found.text
        )));
    }
    // An error if there are none, which says why.
    found.vars()?;
    let name = match (found.program(), found.sections()) {
        (Some(info), _) => Program::from_id(info.id)?.full_name()?,
        (None, [section]) => section.info().name.clone(),
        (None, _) => found.text.clone(),
    };
    Ok(Generator::from_maps(&name, found.sections())?)
}

fn check_file(generator: &Generator, file: &Path) -> Result<()> {
    let path = file.display();
    let failed = |error: std::io::Error| Failure::new(format!("{path} cannot be read: {error}"));
    if !fs::metadata(file).map_err(failed)?.is_file() {
        return Err(Failure::new(format!(
            "{path}: this is no regular file; --check compares with one that -o has written"
        )));
    }
    let kept = fs::read_to_string(file).map_err(failed)?;
    let Some(Difference { found, expected, .. }) = difference(&kept, &generator.rust()?) else { return Ok(()) };
    let line = |line: String| if line.is_empty() { "the end".to_owned() } else { format!("`{line}`") };
    Err(Failure::new(format!(
        "{path} is not up to date: it has {} where {} belongs; write it anew with -o instead of --check",
        line(found),
        line(expected)
    )))
}

impl From<bpfvar_generate::Error> for Failure {
    fn from(error: bpfvar_generate::Error) -> Failure {
        match error {
            bpfvar_generate::Error::Library(error) => error.into(),
            error => Failure::new(error.to_string()),
        }
    }
}
