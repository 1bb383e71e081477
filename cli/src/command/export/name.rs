//! Which names of metrics and labels are good ones.

/// What types put behind the name of a family.
const SUFFIXES: [&str; 6] = ["_total", "_created", "_bucket", "_count", "_sum", "_info"];
/// What a family of the exporter itself starts with.
const OWN: &str = "bpfvar_";
/// Labels that types need for themselves.
const RESERVED: [&str; 2] = ["le", "quantile"];

/// That a user may give a family this name.
pub(super) fn check_family(name: &str) -> Result<(), String> {
    if !is_name(name) {
        return Err(format!(
            "{name:?} is no name of a metric, which are letters, digits and _, and start with no digit"
        ));
    }
    if name.starts_with(OWN) {
        return Err(format!("{name:?} starts with {OWN}, as bpfvar's own names do; choose another"));
    }
    match SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
        Some(suffix @ &"_total") => Err(format!("{name:?} ends with {suffix}, which is for `type = \"counter\"`")),
        Some(suffix) => Err(format!("{name:?} ends with {suffix}, which types add of themselves; leave it out")),
        None => Ok(()),
    }
}

/// That a user may give a label this name.
pub(super) fn check_label(name: &str) -> Result<(), String> {
    if !is_name(name) {
        Err(format!("{name:?} is no name of a label, which are letters, digits and _, and start with no digit"))
    } else if name.starts_with("__") || RESERVED.contains(&name) {
        Err(format!("the label {name:?} is reserved; choose another"))
    } else {
        Ok(())
    }
}

/// That a user may give the label of an index this name.
pub(super) fn check_index(name: &str) -> Result<(), String> {
    match name {
        "program" | "variable" | "member" => {
            Err(format!("the label {name:?} is there for something else; choose another"))
        }
        _ => check_label(name),
    }
}

/// That a name may end with this unit.
pub(super) fn check_unit(unit: &str) -> Result<(), String> {
    if is_name(unit) && !SUFFIXES.iter().any(|suffix| format!("_{unit}").ends_with(suffix)) {
        Ok(())
    } else {
        Err(format!("{unit:?} is no unit, such as seconds or bytes"))
    }
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(|c: char| is_part(c) && !c.is_ascii_digit()) && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_prometheus_takes() {
        for name in ["packets", "app_latency_seconds", "A1", "_x"] {
            assert_eq!(check_family(name), Ok(()), "{name}");
        }
        for name in
            ["", "1a", "a-b", "a b", "a:b", "ä", "bpfvar_x", "x_total", "x_count", "x_sum", "x_bucket", "x_info"]
        {
            assert!(check_family(name).is_err(), "{name}");
        }
        assert_eq!(check_label("reason"), Ok(()));
        for name in ["", "le", "quantile", "__name__", "a-b", "9"] {
            assert!(check_label(name).is_err(), "{name}");
        }
        assert!(check_index("reason").is_ok() && check_index("member").is_err() && check_index("le").is_err());
        assert_eq!(check_unit("seconds"), Ok(()));
        for unit in ["", "a b", "total", "1"] {
            assert!(check_unit(unit).is_err(), "{unit}");
        }
    }
}
