//! Which type a variable has, where nobody says it.

use bpfvar::{Value, Var};

use super::config::WishedKind;
use crate::histogram::Scale;

/// Words in the names of 64-bit variables that are set and not counted up.
const NOT_COUNTED: [&str; 30] = [
    "addr",
    "cgid",
    "cgroup",
    "cookie",
    "deadline",
    "depth",
    "end",
    "expires",
    "flags",
    "gid",
    "id",
    "inode",
    "last",
    "limit",
    "mask",
    "max",
    "min",
    "mode",
    "now",
    "pid",
    "ptr",
    "rate",
    "since",
    "start",
    "state",
    "tgid",
    "threshold",
    "timeout",
    "timestamp",
    "ts",
];

/// The type of a scalar of `var`. `size` is that of the scalar, and `name` its own.
pub(super) fn of_scalar(var: &Var, value: &Value, size: u64, name: &str) -> Option<WishedKind> {
    match value {
        Value::Pointer(_) | Value::Text(_) | Value::Bytes(_) | Value::Array(_) | Value::Struct(_) => None,
        Value::Enum { .. } => Some(WishedKind::State),
        Value::Uint(_) if size == 8 && starts_at_zero(var) && is_counted(name) => Some(WishedKind::Counter),
        _ => Some(WishedKind::Gauge),
    }
}

/// How the slots of an array follow each other, if its name and length say that it is a histogram by powers of two. Such slots may
/// be of 32 bits.
pub(super) fn of_array(var: &Var, elements: &[Value], size: u64, name: &str) -> Option<Scale> {
    let counts = size >= 4 && starts_at_zero(var) && elements.iter().all(|element| matches!(element, Value::Uint(_)));
    Scale::of(name, elements.len()).filter(|scale| counts && *scale == Scale::Log2)
}

/// Whether its memory is all zero when its program is loaded, as that of counters is: settings have values there.
fn starts_at_zero(var: &Var) -> bool {
    var.map().section().is_none_or(|section| section == ".bss" || section.starts_with(".bss."))
}

fn is_counted(name: &str) -> bool {
    !name.split('_').any(|word| NOT_COUNTED.contains(&word.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_settings_from_counters() {
        for name in ["packets", "rx_bytes", "total_ns", "drops", "idle", "maximal"] {
            assert!(is_counted(name), "{name}");
        }
        for name in ["last_seen", "start_ns", "cgroup_id", "MAX_rate", "target_pid", "ts"] {
            assert!(!is_counted(name), "{name}");
        }
    }
}
