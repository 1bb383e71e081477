//! What the tool reads: targets and conditions from the command line, settings, configuration and saved values from files.

use bpfvar_cli::parse;

use crate::check;

/// Takes any bytes. The first chooses what the rest is.
pub fn run(bytes: &[u8]) {
    let Some((choice, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    match choice % 6 {
        0 => match parse::settings(&text) {
            Ok(settings) => settings.iter().for_each(|(target, input)| {
                check::line(input);
                assert_eq!(parse::target(target).map(|object| target.starts_with(&object)), Ok(true), "{target:?}");
            }),
            Err(faults) => faults.iter().for_each(|fault| drop(check::line(fault))),
        },
        1 => refusal(parse::metrics(&text)),
        2 => match parse::target(&text) {
            Ok(object) => assert!(text.starts_with(&object) && !object.is_empty(), "{object:?} of {text:?}"),
            Err(error) => drop(check::line(error)),
        },
        3 => match parse::assignment(&text) {
            Ok(target) => {
                assert!(text.starts_with(&target) && parse::target(&target).is_ok(), "{target:?} of {text:?}")
            }
            Err(error) => drop(check::line(error)),
        },
        4 => match parse::condition(&text) {
            Ok(printed) => assert_eq!(parse::condition(&printed), Ok(printed.clone()), "{text:?}"),
            Err(error) => drop(check::line(error)),
        },
        _ => refusal(parse::saved(&text)),
    }
}

fn refusal(parsed: Result<usize, String>) {
    if let Err(error) = parsed {
        check::line(error);
    }
}
