//! Maps that are reached by keys: what cannot be mapped, and is copied by system call.

mod entries;
mod entry;

use std::fmt;
use std::sync::Arc;

use super::budget::Budget;
use crate::error::{Advice, BtfFault, Error, Object, Result};
use crate::kernel::{KEYED, Map, MapInfo, MapType, ProgramInfo};
use crate::together::possible;
use crate::types::{Btf, Part, TypeId};
use crate::value::{Input, Value, decode, encode};

pub use entries::Entries;
pub use entry::KeyedEntry;

/// A map that is reached by keys and whose keys and values BTF describes: a hash, with a value for all CPUs or for each, or an LPM
/// trie. A handle: cloning it is cheap, and it has no lifetime.
///
/// The kernel maps no such map, so everything here is **a copy by system call**, and read only. Entries come and go: what was
/// there may be gone when its value is asked for, and that is no error but `None`. In maps with a value for each CPU the values
/// are added up, as [`Var::read`](crate::Var::read) does.
///
/// Array maps are [`TypedMap`](crate::TypedMap)s: their entries are always there, and most can be mapped.
///
/// # Cost
///
/// A [`get`](KeyedMap::get) is one system call. [`entries`](KeyedMap::entries) copies thousands of entries with one: 10,000 entries of
/// `u32` to `u64` took 5 to 9 ms on a busy virtual machine with 2 CPUs, a quarter of the time of a `get` for each (`cargo bench
/// --bench globals -- "a hash"`). Reading has no side effect on the map: in an LRU map it does not count as a use (since Linux 5.2).
///
/// # Examples
///
/// ```no_run
/// use bpfvar::{Globals, Input};
///
/// let globals = Globals::by_name("count")?;
/// let flows = globals.keyed_map("flows")?; // or KeyedMap::open, of a map that was opened by id or pin
/// for entry in flows.entries() {
///     let (flow, traffic) = entry?;
///     println!("{flow}: {traffic}"); // {address: 10, port: 80, proto: TCP}: {packets: 3, bytes: 180}
/// }
/// let flow = Input::Struct(vec![("address".into(), 10.into()), ("port".into(), 80.into()), ("proto".into(), "TCP".into())]);
/// if let Some(traffic) = flows.get(flow)? {
///     println!("{traffic}");
/// }
/// # Ok::<(), bpfvar::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyedMap(Arc<Inner>);

struct Inner {
    map: Map,
    btf: Btf,
    key: TypeId,
    value: TypeId,
}

impl KeyedMap {
    /// The types of maps that it can be: `HASH`, `LRU_HASH`, `PERCPU_HASH`, `LRU_PERCPU_HASH` and `LPM_TRIE`.
    pub const TYPES: &'static [MapType] = KEYED;

    /// Opens a map with the BTF that it was created with. Needs `CAP_SYS_ADMIN` to fetch the BTF; see [`KeyedMap::with_btf`].
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is of another type, [`Error::Btf`] if it was created without BTF,
    /// [`Cause::BtfNeedsCapSysAdmin`](crate::Cause::BtfNeedsCapSysAdmin).
    pub fn open(map: Map) -> Result<KeyedMap> {
        map.check_keyed()?;
        match map.info().btf_id {
            0 => Err(missing(&map)),
            id => KeyedMap::with_btf(map, Btf::from_id(id)?),
        }
    }

    /// Opens a map with BTF that the caller has, which must be that with which it was created: the map names the types of its keys
    /// and values by number. No privilege is needed beyond the map's descriptor.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the map is of another type. [`Error::Btf`] if it was created without types, or the BTF has others.
    pub fn with_btf(map: Map, btf: Btf) -> Result<KeyedMap> {
        map.check_keyed()?;
        let info = map.info();
        let of = |id: u32, size: u32| {
            let id = btf.id(id).filter(|_| info.btf_id != 0).ok_or_else(|| missing(&map))?;
            match btf.size(id).unwrap_or(0) {
                found if found == u64::from(size) => Ok(id),
                found => {
                    let fault = BtfFault::DoesNotFit { type_name: btf.type_name(id), size: found, value_size: size };
                    Err(Error::Btf { object: Box::new(info.object()), fault })
                }
            }
        };
        let key = of(info.btf_key_type_id, info.key_size)?;
        let value = of(info.btf_value_type_id, info.value_size)?;
        Ok(KeyedMap(Arc::new(Inner { map, btf, key, value })))
    }

    /// Returns the map's name: at most 15 bytes.
    pub fn name(&self) -> &str {
        &self.info().name
    }

    /// Returns the map as the kernel holds it.
    pub fn as_map(&self) -> &Map {
        &self.0.map
    }

    /// Returns what the kernel says of the map. No system call.
    pub fn info(&self) -> &MapInfo {
        self.0.map.info()
    }

    /// Returns whether it has a value for each CPU.
    pub fn is_per_cpu(&self) -> bool {
        self.0.map.is_per_cpu()
    }

    /// Returns the type of its keys as C names it.
    pub fn key_type(&self) -> String {
        self.0.btf.type_name(self.0.key)
    }

    /// Returns the type of its values as C names it.
    pub fn value_type(&self) -> String {
        self.0.btf.type_name(self.0.value)
    }

    /// Returns the declaration of a key as C writes it, as [`Var::declaration`](crate::Var::declaration) does.
    pub fn key_declaration(&self) -> String {
        self.0.btf.layout(whole(self.0.key), "key")
    }

    /// Returns the declaration of a value.
    pub fn value_declaration(&self) -> String {
        self.0.btf.layout(whole(self.0.value), "value")
    }

    /// Returns the entry of a key, whether or not it is there. As input for a key counts what would be for a variable of the key's
    /// type; members of a struct that are not named are 0, and so is all padding.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the key does not fit the type.
    pub fn entry(&self, key: impl Into<Input>) -> Result<KeyedEntry> {
        let image = encode(&self.0.btf, whole(self.0.key), &key.into()).map_err(|fault| {
            let rule = if fault.path.is_empty() { fault.rule } else { format!("at {}: {}", fault.path, fault.rule) };
            // A key has no parts that could be written alone.
            let advice = fault.advice.map(|advice| match advice {
                Advice::WriteJson => Advice::WriteJsonKey,
                other => other,
            });
            Error::Argument { object: Box::new(self.object()), argument: "key", found: fault.found, rule, advice }
        })?;
        Ok(KeyedEntry::new(self, image.bytes))
    }

    /// Copies the value of a key; `None` if there is no such entry. In an LPM trie it is the value of the longest prefix that the
    /// key has.
    ///
    /// # Errors
    ///
    /// As [`KeyedMap::entry`] and [`KeyedEntry::read`].
    pub fn get(&self, key: impl Into<Input>) -> Result<Option<Value>> {
        self.entry(key)?.read()
    }

    /// Copies all entries, key and value, in an order of the kernel's. See [`Entries`] for what that means while programs insert
    /// and remove entries.
    pub fn entries(&self) -> Entries {
        Entries::new(self)
    }

    /// Returns the programs that use the map now. Needs `CAP_SYS_ADMIN`.
    ///
    /// # Errors
    ///
    /// As [`Program::from_id`](crate::Program::from_id).
    pub fn programs(&self) -> Result<Vec<ProgramInfo>> {
        super::users(self.info().id)
    }

    /// Returns how errors name it.
    pub fn object(&self) -> Object {
        self.info().object()
    }

    /// What an entry takes when it is decoded; see [`Budget`].
    fn content(&self) -> u64 {
        self.0.btf.content(self.0.key).saturating_add(self.0.btf.content(self.0.value))
    }

    /// Takes that of an entry.
    fn take_content(&self, budget: &mut Budget, content: u64) -> Result<()> {
        let size = u64::from(self.info().key_size) + u64::from(self.info().value_size);
        budget.take(size, content, || self.object())
    }

    fn decode_key(&self, key: &[u8]) -> Value {
        decode(&self.0.btf, whole(self.0.key), key)
    }

    /// A part of what the kernel copied of a value: of a CPU, or the sum of all.
    fn decode_part(&self, part: Part, cpu: Option<u32>, copied: &[u8]) -> Result<Value> {
        let decode = |copy: &[u8]| decode(&self.0.btf, part, copy.get(part.offset as usize..).unwrap_or_default());
        if !self.is_per_cpu() {
            return Ok(decode(copied));
        }
        let mut values: Vec<Value> = self.copies(cpu, copied)?.map(decode).collect();
        Ok(if cpu.is_some() && values.len() == 1 { values.remove(0) } else { Value::sum(values) })
    }

    /// The value of a CPU, or those of all.
    fn copies<'c>(&self, cpu: Option<u32>, copied: &'c [u8]) -> Result<impl Iterator<Item = &'c [u8]> + use<'c>> {
        // The kernel copies possible CPUs only, and in rising order.
        let copies = possible()?.iter().zip(copied.chunks_exact(self.info().stride() as usize));
        Ok(copies.filter(move |(number, _)| cpu.is_none_or(|cpu| cpu == **number)).map(|(_, copy)| copy))
    }
}

fn missing(map: &Map) -> Error {
    Error::Btf { object: Box::new(map.info().object()), fault: BtfFault::Missing }
}

fn whole(of: TypeId) -> Part {
    Part { of, offset: 0, bits: None }
}

/// Whether a map may be one.
pub(crate) fn may_be_keyed(info: &MapInfo) -> bool {
    KEYED.contains(&info.map_type)
}

/// Names it as errors do: `map "flows" (id 7)`.
impl fmt::Display for KeyedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object().fmt(f)
    }
}

impl fmt::Debug for KeyedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMap").field("map", self.as_map()).finish_non_exhaustive()
    }
}
