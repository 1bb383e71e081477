//! What a variable is made of, and what it costs to read it.

use bpfvar::{MapType, Value, Var};

use crate::value::is_slots;

/// What a system call costs, as many bytes of mapped memory; and one that copies from all CPUs.
const CALL: u64 = 256;
const CALL_FOR_EACH_CPU: u64 = 4096;

/// What a variable is made of. A scalar, a text and a group have none of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts {
    pub(super) members: Vec<String>,
    pub(super) elements: u32,
    cpus: Vec<String>,
}

impl Parts {
    pub(super) fn of(var: &Var) -> Parts {
        // A text is one value.
        let is_text = var.is_text() && var.entry().is_some();
        let cpus = var.each_cpu().unwrap_or_default();
        let step = |cpu: &Var| cpu.path().strip_prefix(var.path()).unwrap_or_default().to_owned();
        let has_elements = !is_text && cpus.is_empty();
        let indices = if has_elements { var.indices().unwrap_or_default() } else { 0..0 };
        Parts {
            members: var.members(),
            elements: u32::try_from(indices.end).unwrap_or(u32::MAX),
            cpus: cpus.iter().map(step).collect(),
        }
    }

    pub(super) fn count(&self) -> u32 {
        (self.members.len() + self.cpus.len()) as u32 + self.elements
    }

    /// How a path goes on to a part.
    pub(super) fn step(&self, key: u32) -> Option<String> {
        let key = key as usize;
        let (members, elements) = (self.members.len(), self.elements as usize);
        match key.checked_sub(members) {
            None => Some(format!(".{}", self.members[key])),
            Some(index) if index < elements => Some(format!("[{index}]")),
            Some(index) => self.cpus.get(index - elements).cloned(),
        }
    }

    /// A part of a value that was read whole. None for what a CPU has.
    pub(super) fn of_value<'v>(&self, value: &'v Value, key: u32) -> Option<&'v Value> {
        match value {
            Value::Struct(members) => members.get(key as usize).map(|(_, value)| value),
            Value::Array(elements) if self.elements > 0 => elements.get(key as usize),
            _ => None,
        }
    }
}

/// What it costs to read all of a variable, in bytes.
pub(super) fn cost(var: &Var) -> u64 {
    let info = var.map().info();
    let entries = if var.entry().is_some() { 1 } else { u64::from(info.max_entries) };
    let call = match () {
        () if info.map_type == MapType::PERCPU_ARRAY => CALL_FOR_EACH_CPU,
        () if !info.flags.mmapable() => CALL,
        () => 0,
    };
    // Most slots belong to CPUs that the machine does not have.
    let size = if is_slots(var) { var.size() / 16 } else { var.size() };
    entries.saturating_mul(size.saturating_add(call))
}
