//! All entries of a map that is reached by keys.

use std::collections::HashSet;
use std::fmt;

use super::super::budget::Budget;
use super::{KeyedEntry, KeyedMap};
use crate::error::{Cause, Result};
use crate::kernel::{Batch, Map, MapType};
use crate::value::Value;

/// Iterator over the entries of a [`KeyedMap`], key and value, in an order of the kernel's. Ends after its first error. Nothing is
/// held between two entries: programs insert, change and remove entries meanwhile.
///
/// | | hashes, Linux 5.6 | LPM tries; hashes before 5.6 |
/// |---|---|---|
/// | copied | thousands of entries with one system call, bucket by bucket | each by two system calls |
/// | an entry that is there all the time | comes once | comes once, unless the walk gives up |
/// | one that is inserted or removed meanwhile | comes once or not at all | the same |
/// | ends | behind the last bucket | behind the last key, or after two steps for each entry that the map may have |
///
/// The kernel walks a trie from key to key, and starts anew when the key that it stands at is gone. Entries that come again are left
/// out. Where keys are removed faster than this walks, it gives up, and entries may be missing. And where an entry of a trie is
/// removed between its key and its value, the value is that of the next shorter prefix.
///
/// A value that programs change in place may be copied in the middle of that, aligned words of 8 bytes whole.
pub struct Entries {
    map: KeyedMap,
    /// What of each entry is decoded.
    each: KeyedEntry,
    walk: Walk,
    /// What an entry takes, and what those before took: whoever walks may keep them all.
    content: u64,
    budget: Budget,
}

enum Walk {
    NotBegun,
    Batches { batch: Batch, index: u32, next: Option<u32> },
    Keys(Keys),
    Ended,
}

struct Keys {
    last: Option<Vec<u8>>,
    seen: HashSet<Vec<u8>>,
    steps_left: u64,
}

impl Entries {
    pub(super) fn new(map: &KeyedMap) -> Entries {
        Entries {
            map: map.clone(),
            each: KeyedEntry::any(map),
            walk: Walk::NotBegun,
            content: map.content(),
            budget: Budget::default(),
        }
    }

    /// Gives of each value only a part: `.packets`, `.limits[2]`. In a map with a value for each CPU the first index chooses one.
    ///
    /// # Errors
    ///
    /// As [`KeyedEntry::at`], whether or not the map has entries.
    pub fn at(mut self, path: &str) -> Result<Entries> {
        self.each = self.each.at(path)?;
        Ok(self)
    }

    /// The bytes of the next entry, decoded.
    fn advance(&mut self) -> Result<Option<(Value, Value)>> {
        if let Walk::NotBegun = self.walk {
            self.walk = Walk::begin(self.map.as_map())?;
        }
        let map = self.map.as_map();
        let mut take = || self.map.take_content(&mut self.budget, self.content);
        match &mut self.walk {
            Walk::NotBegun | Walk::Ended => Ok(None),
            Walk::Batches { batch, index, next } => loop {
                if let Some((key, value)) = map.entry_of(batch, *index)? {
                    *index += 1;
                    take()?;
                    return self.each.decode(key, value).map(Some);
                }
                let Some(place) = *next else { return Ok(None) };
                *index = 0;
                *next = map.lookup_entries(Some(place), batch)?;
            },
            Walk::Keys(keys) => match keys.advance(map)? {
                Some((key, value)) => {
                    take()?;
                    self.each.decode(&key, &value).map(Some)
                }
                None => Ok(None),
            },
        }
    }
}

impl Walk {
    fn begin(map: &Map) -> Result<Walk> {
        let by_keys = || {
            let steps_left = u64::from(map.info().max_entries) * 2 + 1;
            Walk::Keys(Keys { last: None, seen: HashSet::new(), steps_left })
        };
        if map.info().map_type == MapType::LPM_TRIE {
            return Ok(by_keys());
        }
        let mut batch = Batch::new();
        match map.lookup_entries(None, &mut batch) {
            Ok(next) => Ok(Walk::Batches { batch, index: 0, next }),
            Err(error) if error.cause() == Some(Cause::NoSuchCall) => Ok(by_keys()),
            Err(error) => Err(error),
        }
    }
}

impl Keys {
    fn advance(&mut self, map: &Map) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        while self.steps_left > 0 {
            self.steps_left -= 1;
            let Some(key) = map.next_key(self.last.as_deref())? else { return Ok(None) };
            self.last = Some(key.clone());
            if !self.seen.insert(key.clone()) {
                continue;
            }
            // None if it was removed meanwhile.
            if let Some(value) = map.lookup_key(&key)? {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Entries {
    type Item = Result<(Value, Value)>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if !matches!(next, Ok(Some(_))) {
            self.walk = Walk::Ended;
        }
        next.transpose()
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries").field("map", &self.map).finish_non_exhaustive()
    }
}
