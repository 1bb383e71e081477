//! BTF: parsed, walked through all that the library offers, and laid over memory.

use bpfvar::btf::{Kind, Type};
use bpfvar::{Btf, Var};

use crate::{check, maps};

/// Of what there is, so many: the parser sees all of it, and the rest is more of the same.
const TYPES: usize = 2000;
const VARIABLES: usize = 8;
/// In bytes.
const LARGE: u64 = 4096;

/// Takes any bytes.
pub fn run(bytes: &[u8]) {
    let btf = match Btf::parse(bytes) {
        Ok(btf) => btf,
        Err(error) => {
            check::line(error);
            return;
        }
    };
    for ty in btf.types().take(TYPES) {
        walk(ty);
    }
    for section in btf.sections() {
        for var in section.vars() {
            check::lines(var.name);
            check::line(var.ty.declaration("x"));
        }
    }
    values(&btf);
}

fn walk(ty: Type<'_>) {
    check::lines(ty.name());
    check::line(ty.declaration("x"));
    match ty.kind() {
        Kind::Pointer(to) | Kind::Typedef(to) | Kind::Qualified(to) => check::lines(to),
        Kind::Array { element, len } => {
            let of_elements = element.size().map(|size| size * u64::from(len));
            assert_eq!(ty.size(), of_elements);
        }
        Kind::Struct | Kind::Union => {
            let size = ty.size().expect("a struct has a size");
            for member in ty.members() {
                check::lines(member.name);
                let end = match member.bits {
                    Some(bits) => (bits.start + u64::from(bits.len)).div_ceil(8),
                    None => member.ty.size().expect("a member has a size"),
                };
                assert!(member.offset + end <= size, "{} of {ty} ends behind {size} bytes", member.name);
            }
        }
        Kind::Enum { .. } => assert!(ty.enumerators().iter().all(|(name, _)| !name.contains(char::is_control))),
        _ => {}
    }
}

/// Variables over memory: all that is read and can be written reads the same.
fn values(btf: &Btf) {
    for section in btf.sections().take(4) {
        let Some(map) = maps::of_section(btf, section) else { continue };
        for seed in [0, 1] {
            maps::fill(&map, seed);
            for var in map.vars().take(VARIABLES) {
                // What looks half written is waited for.
                if seed != 0 && !var.together().is_empty() {
                    continue;
                }
                check::line(&var);
                check::lines(var.declaration());
                if var.size() <= LARGE && !is_switch(&var) && names_are_distinct(var.ty(), 0) {
                    check::read_back(&var);
                    let _refused_or_not = var.add("1");
                    for part in var.members().iter().map(|name| format!(".{name}")).chain(["[0]".to_owned()]) {
                        // A dot in a name is one more step.
                        if let Ok(part) = var.at(&part) {
                            check::line(&part);
                            check::read_back(&part);
                        }
                    }
                }
            }
        }
    }
}

/// Each switch waits for the programs that run.
pub(crate) fn is_switch(var: &Var) -> bool {
    var.together().contains(&"BPFVAR_SWITCH")
}

/// Whether a name tells a member from others, and an enumerator is one number. In C they do.
fn names_are_distinct(ty: Type<'_>, depth: u32) -> bool {
    let ty = ty.resolve();
    let unlike = |mut names: Vec<&str>| {
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        names.len() == all && !names.contains(&"")
    };
    if depth > 64 {
        return false;
    }
    match ty.kind() {
        Kind::Array { element, .. } => names_are_distinct(element, depth + 1),
        Kind::Enum { .. } => {
            let names: Vec<&str> = ty.enumerators().into_iter().map(|(name, _)| name).collect();
            names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_'))
                && unlike(names)
        }
        Kind::Struct | Kind::Union => {
            let members: Vec<_> = ty.members().collect();
            members.iter().all(|member| names_are_distinct(member.ty, depth + 1))
                && unlike(members.iter().map(|member| member.name).collect())
        }
        _ => true,
    }
}
