//! One entry of a map that is reached by keys, or a part of its value.

use std::fmt;

use super::super::budget::Budget;
use super::super::path::{self, Astray, Step, VarPath};
use super::{KeyedMap, whole};
use crate::error::{Advice, Error, Object, Result};
use crate::together::possible;
use crate::types::{Kind, Part};
use crate::value::Value;

/// The value of a key in a [`KeyedMap`], or a part of that, whether or not it is there: [`read`](KeyedEntry::read) tells. A handle,
/// as [`Var`](crate::Var) is for what is always there.
#[derive(Clone)]
pub struct KeyedEntry {
    map: KeyedMap,
    key: Vec<u8>,
    path: String,
    part: Part,
    cpu: Cpu,
}

/// Which CPU's value is meant, where each has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cpu {
    /// All, unless an index follows.
    NotChosen,
    All,
    One(u32),
}

impl KeyedEntry {
    pub(super) fn new(map: &KeyedMap, key: Vec<u8>) -> KeyedEntry {
        let path = format!("{}[{}]", map.name(), map.decode_key(&key));
        KeyedEntry { key, path, ..KeyedEntry::any(map) }
    }

    /// An entry without a key, for what is the same for all.
    pub(super) fn any(map: &KeyedMap) -> KeyedEntry {
        let path = format!("{}[*]", map.name());
        let cpu = if map.is_per_cpu() { Cpu::NotChosen } else { Cpu::All };
        KeyedEntry { map: map.clone(), key: Vec::new(), path, part: whole(map.0.value), cpu }
    }

    /// Returns its path: `flows[{address: 10, port: 80, proto: TCP}].packets`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the map that it belongs to.
    pub fn map(&self) -> &KeyedMap {
        &self.map
    }

    /// Returns its key.
    pub fn key(&self) -> Value {
        self.map.decode_key(&self.key)
    }

    /// Returns its type as C names it.
    pub fn type_name(&self) -> String {
        let name = self.map.0.btf.type_name(self.part.of);
        match self.part.bits {
            Some(bits) => format!("{name} : {}", bits.len),
            None => name,
        }
    }

    /// Returns its size in bytes. For a bitfield, that of its type.
    pub fn size(&self) -> u64 {
        self.map.0.btf.size(self.part.of).unwrap_or(0)
    }

    /// Returns the names and numbers that it can have, if it is an enum.
    pub fn enumerators(&self) -> Vec<(&str, i128)> {
        self.map.0.btf.enumerators(self.part.of)
    }

    /// Returns whether it is an array of C's `char`, which is read as text.
    pub fn is_text(&self) -> bool {
        matches!(*self.map.0.btf.kind(self.part.of), Kind::Array { element, .. } if self.map.0.btf.is_char(element))
    }

    /// Returns a part of it: `.limits[2].burst`, `[3]`. In a map with a value for each CPU the first index chooses one. See
    /// [`VarPath`].
    ///
    /// # Errors
    ///
    /// As [`Var::at`](crate::Var::at).
    pub fn at(&self, path: &str) -> Result<KeyedEntry> {
        let steps: VarPath = path.parse().map_err(|error: Error| error.about(self.object()))?;
        let mut entry = self.clone();
        for step in steps.steps() {
            entry.step(step, path)?;
        }
        entry.path.push_str(path);
        Ok(entry)
    }

    fn step(&mut self, step: &Step, path: &str) -> Result<()> {
        let chosen = std::mem::replace(&mut self.cpu, Cpu::All);
        match (chosen, step) {
            (Cpu::NotChosen, Step::Index(index)) => {
                let found = possible()?.iter().find(|cpu| u64::from(**cpu) == *index);
                let rule = || self.argument(format!("{path:?}"), format!("there is no CPU {index}"), None);
                self.cpu = Cpu::One(*found.ok_or_else(rule)?);
                return Ok(());
            }
            (Cpu::NotChosen, Step::Member(_)) => {}
            (chosen, _) => self.cpu = chosen,
        }
        self.part = path::step(&self.map.0.btf, self.part, step).map_err(|astray| match astray {
            Astray::Rule(rule) => self.argument(format!("{path:?}"), rule, None),
            Astray::Missing { kind, name, known } => {
                Error::NotFound { object: Box::new(self.object()), kind, name, known, advice: None }
            }
        })?;
        Ok(())
    }

    /// Returns the entry as each CPU has it, CPU 0 first, if each has a value and none is chosen. Empty for everything else.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] if the kernel does not tell how many CPUs there can be.
    pub fn each_cpu(&self) -> Result<Vec<KeyedEntry>> {
        if self.cpu != Cpu::NotChosen {
            return Ok(Vec::new());
        }
        possible()?.iter().map(|cpu| self.at(&format!("[{cpu}]"))).collect()
    }

    /// Copies it, by one system call. `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// [`Error::Btf`] as [`Var::read`](crate::Var::read). [`Cause::WriteOnlyDescriptor`](crate::Cause::WriteOnlyDescriptor).
    pub fn read(&self) -> Result<Option<Value>> {
        let read = || {
            self.map.take_content(&mut Budget::default(), self.map.content())?;
            let copied = self.map.as_map().lookup_key(&self.key)?;
            copied.map(|copied| self.map.decode_part(self.part, self.chosen(), &copied)).transpose()
        };
        read().map_err(|error| error.about(self.object()))
    }

    /// Copies its bytes in the order of memory. `None` if there is no such entry.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for what has no bytes of its own: a bitfield, or a value for each CPU of which none is chosen. And as
    /// [`KeyedEntry::read`].
    pub fn read_bytes(&self) -> Result<Option<Vec<u8>>> {
        let fault = |rule: &str, advice| Err(self.argument(format!("{:?}", self.path), rule.to_owned(), advice));
        if self.part.bits.is_some() {
            return fault("a bitfield has no bytes of its own: read what it is a member of", None);
        }
        if self.map.is_per_cpu() && self.chosen().is_none() {
            return fault("every CPU has a value of its own", Some(Advice::ChooseCpu));
        }
        let read = || {
            let Some(copied) = self.map.as_map().lookup_key(&self.key)? else { return Ok(None) };
            let copy = match self.map.is_per_cpu() {
                true => self.map.copies(self.chosen(), &copied)?.next(),
                false => Some(copied.as_slice()),
            };
            let start = self.part.offset as usize;
            Ok(copy.and_then(|copy| copy.get(start..start + self.size() as usize)).map(<[u8]>::to_vec))
        };
        read().map_err(|error: Error| error.about(self.object()))
    }

    /// Returns how errors name it.
    pub fn object(&self) -> Object {
        Object::Variable {
            path: self.path.clone(),
            type_name: self.type_name(),
            offset: self.part.offset,
            map: Box::new(self.map.object()),
        }
    }

    /// The key and what this is of an entry that was copied.
    pub(super) fn decode(&self, key: &[u8], copied: &[u8]) -> Result<(Value, Value)> {
        Ok((self.map.decode_key(key), self.map.decode_part(self.part, self.chosen(), copied)?))
    }

    fn chosen(&self) -> Option<u32> {
        match self.cpu {
            Cpu::One(cpu) => Some(cpu),
            Cpu::NotChosen | Cpu::All => None,
        }
    }

    fn argument(&self, found: String, rule: String, advice: Option<Advice>) -> Error {
        Error::Argument { object: Box::new(self.object()), argument: "path", found, rule, advice }
    }
}

/// Names it as errors do: `flows[3].packets (__u64 in map "flows" (id 7))`.
impl fmt::Display for KeyedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl fmt::Debug for KeyedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
