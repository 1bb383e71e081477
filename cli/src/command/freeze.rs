//! `bpfvar freeze`.

use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::Resolver;
use crate::target::Target;

pub(super) fn run(target: &Target, out: &mut Output) -> Result<()> {
    let found = Resolver::default().find(target)?;
    let all = || found.sections().iter().map(|section| format!("map:{} ({})", section.info().id, section.name()));
    let refuse = |what: &str| {
        let ways = all().collect::<Vec<_>>().join(", ");
        let ways = if ways.is_empty() { "one by map:ID".to_owned() } else { ways };
        Err(Failure::new(format!("{} is {what}, and only whole maps are frozen; choose {ways}", target.text)))
    };
    match found.sections() {
        [section] if !found.is_var() && found.program().is_none() => section.as_map().freeze()?,
        [section] if section.section().is_none() && found.is_whole() => section.as_map().freeze()?,
        _ if found.is_var() => return refuse("a variable"),
        _ => return refuse("a program"),
    }
    if out.json {
        return out.json(&serde_json::json!({ (target.text.clone()): { "frozen": true } }));
    }
    if out.quiet { Ok(()) } else { out.line(format_args!("{}: frozen", target.text)) }
}
