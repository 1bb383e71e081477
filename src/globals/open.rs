//! From maps to typed maps, many at a time.

use std::collections::HashMap;

use crate::error::{Cause, Error, Result};
use crate::kernel::{Map, ProgramInfo};
use crate::typed_map::{KeyedMap, TypedMap, may_be_keyed, may_be_typed};
use crate::types::Btf;

/// Maps that BTF describes.
#[derive(Default)]
pub(super) struct Maps {
    pub(super) typed: Vec<TypedMap>,
    pub(super) keyed: Vec<KeyedMap>,
}

/// Opens maps, and fetches each BTF once.
#[derive(Default)]
pub(super) struct Opener {
    known: HashMap<u32, Option<Btf>>,
}

impl Opener {
    /// Adds the map, unless it is neither an array nor reached by keys, or no BTF describes its values.
    pub(super) fn open(&mut self, map: Map, users: &[&ProgramInfo], maps: &mut Maps) -> Result<()> {
        let is_keyed = may_be_keyed(map.info());
        if !is_keyed && !may_be_typed(map.info()) {
            return Ok(());
        }
        let btf_id = match map.info().btf_id {
            // Nothing names the types of its keys.
            0 if is_keyed => 0,
            0 => users.iter().map(|info| info.btf_id).find(|id| *id != 0).unwrap_or(0),
            id => id,
        };
        let Some(btf) = self.fetch(btf_id)? else { return Ok(()) };
        let opened = match is_keyed {
            true => KeyedMap::with_btf(map, btf).map(|map| maps.keyed.push(map)),
            false => TypedMap::with_btf(map, btf).map(|map| maps.typed.push(map)),
        };
        match opened {
            Err(Error::Btf { .. }) => Ok(()),
            opened => opened,
        }
    }

    fn fetch(&mut self, btf_id: u32) -> Result<Option<Btf>> {
        if btf_id == 0 {
            return Ok(None);
        }
        if let Some(known) = self.known.get(&btf_id) {
            return Ok(known.clone());
        }
        let fetched = match Btf::from_id(btf_id) {
            // It went away, or one program's is malformed, which is no reason to show nothing of the others.
            Err(error) if error.cause() == Some(Cause::NoSuchId) || matches!(error, Error::Btf { .. }) => None,
            btf => Some(btf?),
        };
        self.known.insert(btf_id, fetched.clone());
        Ok(fetched)
    }
}
