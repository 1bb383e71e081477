//! What the tool parses of what users and files say, for those who try it with any bytes. The kernel is not asked. What is
//! wrong is said as it is printed.

use bpfvar::Input;

use crate::command::export::config;
use crate::command::set::setting;
use crate::command::watch::until::Condition;
use crate::output::clean;
use crate::saved::Format;
use crate::settings;
use crate::target::Target;

/// Parses a target. Returns the program, map or pin that it starts with.
///
/// # Errors
///
/// What is wrong.
pub fn target(text: &str) -> Result<String, String> {
    let parsed: Result<Target, String> = text.parse();
    parsed.map(|target| target.object().to_owned()).map_err(|rule| clean(&rule))
}

/// Parses what `set` takes. Returns its target.
///
/// # Errors
///
/// What is wrong.
pub fn assignment(text: &str) -> Result<String, String> {
    let parsed: Result<setting::Setting, String> = text.parse();
    parsed.map(|setting| setting.target().text.clone()).map_err(|rule| clean(&rule))
}

/// Parses a condition of `watch --until`. Returns it as it is printed.
///
/// # Errors
///
/// What is wrong.
pub fn condition(text: &str) -> Result<String, String> {
    let parsed: Result<Condition, String> = text.parse();
    parsed.map(|condition| condition.to_string()).map_err(|rule| clean(&rule))
}

/// Parses a file of settings. Returns its targets and their values.
///
/// # Errors
///
/// All that is wrong, a line each.
pub fn settings(text: &str) -> Result<Vec<(String, Input)>, Vec<String>> {
    match settings::parse::settings(text, &"file".into()) {
        Ok(settings) => Ok(settings.into_iter().map(|setting| (setting.target.text, setting.input)).collect()),
        Err(faults) => Err(faults.iter().map(|fault| clean(&fault.to_string())).collect()),
    }
}

/// Parses the configuration of `export`. Returns how many selections it has.
///
/// # Errors
///
/// What is wrong.
pub fn metrics(text: &str) -> Result<usize, String> {
    let selections = config::parse(text, "file".to_owned());
    selections.map(|selections| selections.len()).map_err(|failure| clean(&failure.line(true)))
}

/// Parses what `dump --json` printed. Returns how many sections it has.
///
/// # Errors
///
/// What is wrong.
pub fn saved(text: &str) -> Result<usize, String> {
    Format::Json.parse(text).map(|saved| saved.sections.len()).map_err(|why| clean(&why))
}
