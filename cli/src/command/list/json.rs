//! All of it as JSON.

use std::collections::HashSet;

use bpfvar::ProgramInfo;
use serde::Serialize;

use super::List;
use super::facts::Facts;
use crate::entries::JsonKeyedMap;
use crate::error::Result;
use crate::group::Group;
use crate::output::Output;
use crate::owner::Owner;
use crate::table::{Contents, JsonSection, JsonVar};

/// Values of more bytes are left out.
const MOST: u64 = 4096;

/// What `dump` prints, and the objects.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    contents: Contents,
    objects: Vec<JsonObject<'a>>,
}

/// Programs that were loaded together.
#[derive(Debug, Serialize)]
struct JsonObject<'a> {
    name: &'a str,
    /// The processes that hold it.
    owners: Vec<JsonOwner<'a>>,
    /// Where one of its programs or links is pinned, if no process holds it.
    pin: Option<String>,
    programs: Vec<JsonMember>,
    /// The ids of its maps that BTF describes.
    maps: Vec<u32>,
}

#[derive(Debug, Serialize)]
struct JsonOwner<'a> {
    pid: u32,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct JsonMember {
    id: u32,
    #[serde(rename = "type")]
    ty: String,
    /// Where links attach it.
    attached: Vec<String>,
    /// When it was loaded.
    loaded: Option<String>,
    uid: u32,
    btf_id: Option<u32>,
}

impl<'a> From<&'a Owner> for JsonOwner<'a> {
    fn from(owner: &'a Owner) -> JsonOwner<'a> {
        JsonOwner { pid: owner.pid, name: &owner.name }
    }
}

impl JsonMember {
    fn new(program: &ProgramInfo, facts: &Facts) -> JsonMember {
        JsonMember {
            id: program.id,
            ty: Facts::program_type(program),
            attached: facts.attached(program),
            loaded: facts.loaded(program),
            uid: program.created_by_uid,
            btf_id: Some(program.btf_id).filter(|id| *id != 0),
        }
    }
}

impl List<'_> {
    pub(super) fn json(&self, out: &mut Output) -> Result<()> {
        let mut sections = Vec::new();
        for map in self.maps {
            let vars = self.filter.vars(map, self.programs);
            if vars.is_empty() && self.filter.is_set() {
                continue;
            }
            let vars = vars.iter().map(|var| JsonVar::new(var, MOST)).collect::<Result<_>>()?;
            sections.push(JsonSection::new(map, self.programs, vars));
        }
        let keyed = self.keyed.iter().filter(|map| self.filter.shows_keyed(map, self.programs));
        let keyed_maps: Vec<_> = keyed.map(|map| JsonKeyedMap::preview(map, self.programs)).collect::<Result<_>>()?;
        let users = sections.iter().flat_map(JsonSection::users);
        let used: HashSet<u32> = users.chain(keyed_maps.iter().flat_map(JsonKeyedMap::users)).collect();
        let is_listed = |program: &ProgramInfo| self.filter.means(program) || used.contains(&program.id);
        let programs: Vec<_> = self.programs.iter().filter(|program| is_listed(program)).map(Into::into).collect();
        if self.filter.is_set() && programs.is_empty() && sections.is_empty() && keyed_maps.is_empty() {
            return Err(self.filter.nothing(self.programs));
        }
        let facts = Facts::look();
        let groups = self.groups.iter().filter(|group| group.programs.iter().any(|program| is_listed(program)));
        let objects = groups.map(|group| self.object(group, &facts)).collect();
        out.json(&Listed { contents: Contents { programs, sections, keyed_maps }, objects })
    }

    fn object<'g>(&self, group: &'g Group<'_>, facts: &Facts) -> JsonObject<'g> {
        let pin = || group.programs.iter().find_map(|program| self.resolver.owners().pin_of_program(program.id));
        let pin = if group.owners.is_empty() { pin() } else { None };
        let typed = group.maps.iter().map(|map| map.info().id);
        JsonObject {
            name: &group.name,
            owners: group.owners.iter().map(Into::into).collect(),
            pin: pin.map(|path| path.display().to_string()),
            programs: group.programs.iter().map(|program| JsonMember::new(program, facts)).collect(),
            maps: typed.chain(group.keyed.iter().map(|map| map.info().id)).collect(),
        }
    }
}
