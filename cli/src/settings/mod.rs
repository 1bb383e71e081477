//! Settings in files: which variable shall have which value, and where that is written. Nothing here asks the kernel.

mod files;
pub(crate) mod parse;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use bpfvar::Input;
use serde::Serialize;

pub(crate) use files::{DIRECTORIES, STDIN};
pub(crate) use write::Document;

use crate::target::{Target, splits};

/// A variable, or a part of one, and the value that it shall have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setting {
    pub(crate) target: Target,
    pub(crate) input: Input,
    pub(crate) place: Place,
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    pub(crate) file: Rc<str>,
    pub(crate) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something that is wrong with settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    pub(crate) target: Option<String>,
    #[serde(flatten)]
    pub(crate) place: Option<Place>,
    pub(crate) error: String,
}

impl Fault {
    pub(crate) fn of(setting: &Setting, error: impl Into<String>) -> Fault {
        let target = Some(setting.target.text.clone());
        Fault { target, place: Some(setting.place.clone()), error: error.into() }
    }

    fn at(file: &Rc<str>, line: usize, error: impl Into<String>) -> Fault {
        Fault { target: None, place: Some(Place { file: file.clone(), line }), error: error.into() }
    }
}

/// In one line, behind where it is written.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.error),
            None => f.write_str(&self.error),
        }
    }
}

/// The settings of one program or map: they are applied all or none.
#[derive(Debug)]
pub(crate) struct Group {
    /// What their targets start with: `count`, `prog:12`, `pin:/sys/fs/bpf/stats`.
    pub(crate) name: String,
    /// In the order in which they are written, file by file.
    pub(crate) settings: Vec<Setting>,
}

/// All that some files say.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// In the order in which they first occur.
    pub(crate) groups: Vec<Group>,
}

impl Settings {
    /// Reads files, directories or standard input; the directories of the system if none is named.
    ///
    /// # Errors
    ///
    /// All that is wrong, in the order of the files.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Settings, Vec<Fault>> {
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        let files = files::find(paths).map_err(|fault| vec![fault])?;
        for path in &files {
            let name: Rc<str> = files::name(path).into();
            match files::read(path, &name).map_err(|fault| vec![fault]).and_then(|text| parse::settings(&text, &name)) {
                Ok(settings) => all.extend(settings),
                Err(of_this) => faults.extend(of_this),
            }
        }
        faults.extend(set_twice(&all));
        if faults.is_empty() { Ok(Settings { groups: groups(all) }) } else { Err(faults) }
    }

    /// How many settings there are.
    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.settings.len()).sum()
    }
}

/// What is set in two places, or lies in something that is set in another. Two ways to name one variable are found when it is.
fn set_twice(settings: &[Setting]) -> Vec<Fault> {
    let mut known: HashMap<&str, &Setting> = HashMap::with_capacity(settings.len());
    let mut faults = Vec::new();
    for setting in settings {
        if let Some(first) = known.get(setting.target.text.as_str()) {
            faults.push(twice(setting, first));
        } else {
            known.insert(&setting.target.text, setting);
        }
    }
    for setting in settings {
        let text = setting.target.text.as_str();
        let around = splits(text).skip(1).find_map(|(outer, _)| known.get(outer));
        faults.extend(around.map(|around| twice(setting, around)));
    }
    faults
}

/// The fault for two settings of one variable, or of parts of one that overlap. It names both places.
pub(crate) fn twice(setting: &Setting, other: &Setting) -> Fault {
    let (text, theirs, place) = (&setting.target.text, &other.target.text, &other.place);
    Fault::of(
        setting,
        if text == theirs {
            format!("{text} is set at {place} too; remove one of the two")
        } else {
            format!("{text} overlaps {theirs}, which is set at {place}; remove one of the two")
        },
    )
}

fn groups(settings: Vec<Setting>) -> Vec<Group> {
    let (mut groups, mut index): (Vec<Group>, HashMap<String, usize>) = (Vec::new(), HashMap::new());
    for setting in settings {
        let name = setting.target.object();
        let at = *index.entry(name.to_owned()).or_insert_with(|| {
            groups.push(Group { name: name.to_owned(), settings: Vec::new() });
            groups.len() - 1
        });
        groups[at].settings.push(setting);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(files: &[(&str, &str)]) -> Vec<Setting> {
        files.iter().flat_map(|(name, text)| parse::settings(text, &Rc::from(*name)).unwrap()).collect()
    }

    #[test]
    fn settings_of_one_program_are_one_group_whichever_file_they_are_in() {
        let settings = all(&[
            ("a", "'pin:/sys/fs/bpf/m[3].x' = 1\n[count]\nsampling = 2\n['prog:7']\nx = 3\n['prog:one']\nx = 4"),
            ("b", "'prog:7.y' = 5\n[count.config]\nrate = 6\n['count.bss']\nknob = 7\n['.data.custom']\nx = 8"),
        ]);
        let groups = groups(settings);
        let shown: Vec<(&str, usize)> =
            groups.iter().map(|group| (group.name.as_str(), group.settings.len())).collect();
        assert_eq!(shown, [("pin:/sys/fs/bpf/m", 1), ("count", 3), ("prog:7", 2), ("prog:one", 1), (".data", 1)]);
    }

    #[test]
    fn what_two_files_set_names_both() {
        let faults = set_twice(&all(&[("a", "[count]\nsampling = 1"), ("b", "\n\ncount.sampling = 1")]));
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].to_string(), "b:3: count.sampling is set at a:2 too; remove one of the two");
    }

    #[test]
    fn what_lies_in_what_another_sets_names_both() {
        let settings =
            all(&[("a", "[count]\nhist = [1, 2]\nlimit = 1"), ("b", "[count]\n\"hist[1]\" = 5\nlimits = 1")]);
        let faults = set_twice(&settings);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(
            faults[0].to_string(),
            "b:2: count.hist[1] overlaps count.hist, which is set at a:2; remove one of the two"
        );
    }

    #[test]
    fn members_of_one_struct_may_be_set_in_two_files() {
        assert!(
            set_twice(&all(&[("a", "count.config.rate = 1"), ("b", "count.config = { mode = \"OFF\" }")])).is_empty()
        );
    }
}
