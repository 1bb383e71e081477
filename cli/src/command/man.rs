//! `bpfvar man`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::{Failure, Result};
use crate::help::SETTINGS;
use crate::output::Output;

/// The name of the page of settings in files, and of the directories that these are in.
const FORMAT: &str = "bpfvar.d";
const SOURCE: &str = concat!("bpfvar ", env!("CARGO_PKG_VERSION"));

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(after_help = "\
Examples:
  bpfvar man | man -l -
  bpfvar man get | man -l -
  bpfvar man bpfvar.d | man -l -          the format of settings in files
  bpfvar man /usr/local/share/man/man1

In a directory with the name man1, the page of the format, which is of section 5, goes to the man5 beside it.")]
pub(crate) struct Args {
    /// The command whose page to print, bpfvar.d, or a directory that is there
    #[arg(value_name = "COMMAND|DIR")]
    what: Option<PathBuf>,
}

pub(super) fn run(Args { what }: &Args, out: &mut Output) -> Result<()> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(directory) = what.as_deref().filter(|what| *what != Path::new("bpfvar")) else {
        return out.raw(&page(&command, "bpfvar")?);
    };
    if directory == Path::new(FORMAT) {
        return out.raw(format().as_bytes());
    }
    let named = directory.to_str().and_then(|name| command.find_subcommand(name));
    if let Some(command) = named {
        return out.raw(&page(command, &format!("bpfvar-{}", command.get_name()))?);
    }
    if !directory.is_dir() {
        let directory = directory.display();
        return Err(Failure::new(format!(
            "{directory}: this is neither a command of bpfvar nor a directory that is there (mkdir -p {directory})"
        )));
    }
    // Where `man` looks for section 5.
    let man5 = directory.ends_with("man1").then(|| directory.with_file_name("man5"));
    let failed =
        |error: io::Error| Failure::new(format!("{}: the man pages cannot be written: {error}", directory.display()));
    fs::write(directory.join("bpfvar.1"), page(&command, "bpfvar")?).map_err(failed)?;
    for command in command.get_subcommands() {
        let name = format!("bpfvar-{}", command.get_name());
        fs::write(directory.join(format!("{name}.1")), page(command, &name)?).map_err(failed)?;
    }
    let man5 = man5.as_deref().unwrap_or(directory);
    fs::create_dir_all(man5).and_then(|()| fs::write(man5.join(format!("{FORMAT}.5")), format())).map_err(failed)?;
    if out.quiet { Ok(()) } else { out.line(format_args!("man pages written to {}", directory.display())) }
}

/// The page of settings in files.
fn format() -> String {
    format!(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n.TH {FORMAT} 5 \"\" \"{SOURCE}\"\n{}", roff(SETTINGS))
}

/// clap_mangen's page, but for what stands below the options: that is examples and prose, which it would fill all alike.
fn page(command: &clap::Command, title: &str) -> Result<Vec<u8>> {
    let man = Man::new(command.clone()).title(title).source(SOURCE);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let extra = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string).unwrap_or_default();
    page.extend(roff(&extra).bytes());
    Ok(page)
}

/// Lines such as `Examples:` are headings; lines with columns, or deep below the margin, stay as they are; others are filled.
fn roff(text: &str) -> String {
    let mut roff = String::new();
    let mut as_is = false;
    for line in text.lines() {
        let is_heading = line.ends_with(':') && !line.starts_with(' ');
        let keep = line.starts_with("    ") || line.starts_with("  bpfvar ") || line.starts_with("  echo ");
        if keep != as_is && !line.is_empty() {
            roff += if keep { ".PP\n.RS 4\n.nf\n" } else { ".fi\n.RE\n" };
            as_is = keep;
        }
        match line.trim() {
            "" => roff += if as_is { "\n" } else { ".PP\n" },
            heading if is_heading => roff += &format!(".SH {}\n", heading.trim_end_matches(':').to_uppercase()),
            line => {
                let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
                let guard = if escaped.starts_with('.') { "\\&" } else { "" };
                roff += &format!("{guard}{escaped}\n");
            }
        }
    }
    roff + if as_is { ".fi\n.RE\n" } else { "" }
}
