//! Values as bytes.

use crate::error::{Failure, Result};
use crate::output::Output;
use crate::resolve::{Keyed, Selected};

/// Writes the bytes of all targets, one behind the other. All are read before the first is written.
pub(super) fn print(selected: Vec<Selected>, out: &mut Output) -> Result<()> {
    if out.terminal {
        return Err(Failure::new("bytes are not written to a terminal; redirect them: > FILE, or | xxd"));
    }
    let mut bytes = Vec::new();
    for selected in selected {
        match selected {
            Selected::Vars(vars) => {
                for (_, var) in vars {
                    bytes.extend(var.read_bytes()?);
                }
            }
            Selected::Keyed(keyed @ Keyed { entry: Some(_), .. }) => bytes.extend(of_entry(&keyed)?),
            Selected::Keyed(keyed) => {
                return Err(Failure::new(format!(
                    "{} is a map whose entries have no order; name one by its key, {}",
                    keyed.text,
                    keyed.example()
                )));
            }
        }
    }
    out.raw(&bytes)
}

fn of_entry(keyed: &Keyed) -> Result<Vec<u8>> {
    let bytes = keyed.entry.as_ref().map_or(Ok(None), bpfvar::KeyedEntry::read_bytes)?;
    bytes.ok_or_else(|| keyed.no_entry())
}
