//! From maps to typed maps, many at a time.

use std::collections::HashMap;

use crate::error::{Cause, Error, Result};
use crate::kernel::{Map, ProgramInfo};
use crate::typed_map::{TypedMap, may_be_typed};
use crate::types::Btf;

/// Opens maps, and fetches each BTF once.
#[derive(Default)]
pub(super) struct Opener {
    known: HashMap<u32, Option<Btf>>,
}

impl Opener {
    /// `None` if it is not an array, or no BTF describes its values.
    pub(super) fn open(&mut self, map: Map, users: &[&ProgramInfo]) -> Result<Option<TypedMap>> {
        if !may_be_typed(map.info()) {
            return Ok(None);
        }
        let info = map.info();
        let btf_id = match info.btf_id {
            0 => users.iter().map(|info| info.btf_id).find(|id| *id != 0).unwrap_or(0),
            id => id,
        };
        if btf_id == 0 {
            return Ok(None);
        }
        let known = match self.known.get(&btf_id) {
            Some(known) => known.clone(),
            None => {
                let fetched = match Btf::from_id(btf_id) {
                    // It went away, or one program's is malformed, which is no reason to show nothing of the others.
                    Err(error) if error.cause() == Some(Cause::NoSuchId) || matches!(error, Error::Btf { .. }) => None,
                    btf => Some(btf?),
                };
                self.known.insert(btf_id, fetched.clone());
                fetched
            }
        };
        let Some(btf) = known else { return Ok(None) };
        match TypedMap::with_btf(map, btf) {
            Err(Error::Btf { .. }) => Ok(None),
            typed => typed.map(Some),
        }
    }
}
