//! Who holds a program or a map: processes, by their open descriptors; where no process does, the pin that does.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread;

use bpfvar::{Link, Map, Program};

/// So deep, and so many files, are looked for pins.
const MOST_DEPTH: usize = 8;
const MOST_PINS: usize = 10_000;
/// More threads do not make looking faster.
const MOST_THREADS: usize = 8;

/// A process that holds something of BPF. Prints as `opensnoop (pid 4711)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) pid: u32,
    /// Its name as the kernel has it, `comm`: at most 15 bytes.
    pub(crate) name: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// Who holds the programs and maps of the system, as far as this process may see. In another PID namespace it sees the processes
/// of that one only.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    held: HashMap<Held, Vec<Owner>>,
    pins: OnceCell<HashMap<Held, PathBuf>>,
}

/// A program or a map, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Held {
    Program(u32),
    Map(u32),
}

impl Owners {
    /// Looks at the descriptors of all processes. What vanishes meanwhile, and what this process may not see, is left out.
    pub(crate) fn look() -> Owners {
        let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
        let pids: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        // Each descriptor costs a system call of three microseconds, and a server has ten thousands of them.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let found: Vec<(Owner, Vec<Held>)> = thread::scope(|scope| {
            let chunks = pids.chunks(pids.len().div_ceil(threads).max(1));
            let threads: Vec<_> = chunks
                .map(|pids| scope.spawn(|| pids.iter().filter_map(|pid| look_at(*pid)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().into_iter().flatten()).collect()
        });
        let mut owners = Owners::default();
        for (owner, held) in found {
            for held in held {
                owners.held.entry(held).or_default().push(owner.clone());
            }
        }
        owners.held.values_mut().for_each(|owners| {
            owners.sort();
            owners.dedup();
        });
        owners
    }

    /// The processes that hold a program, or a link that attaches it, by their numbers.
    pub(crate) fn of_program(&self, id: u32) -> &[Owner] {
        self.held.get(&Held::Program(id)).map_or(&[], Vec::as_slice)
    }

    /// The processes that hold a map.
    pub(crate) fn of_map(&self, id: u32) -> &[Owner] {
        self.held.get(&Held::Map(id)).map_or(&[], Vec::as_slice)
    }

    /// Where a program, or a link that attaches it, is pinned. The first question looks through all file systems of pins.
    pub(crate) fn pin_of_program(&self, id: u32) -> Option<&Path> {
        self.pins().get(&Held::Program(id)).map(PathBuf::as_path)
    }

    /// The same of a map.
    pub(crate) fn pin_of_map(&self, id: u32) -> Option<&Path> {
        self.pins().get(&Held::Map(id)).map(PathBuf::as_path)
    }

    /// The name of a process that holds something.
    pub(crate) fn name_of(&self, pid: u32) -> Option<&str> {
        let owner = self.held.values().flatten().find(|owner| owner.pid == pid);
        owner.map(|owner| owner.name.as_str())
    }

    /// The processes of this name that hold programs.
    pub(crate) fn pids_named(&self, name: &str) -> Vec<u32> {
        let holds = |(held, owners): (&Held, &'_ Vec<Owner>)| match held {
            Held::Program(_) => owners.iter().filter(|owner| owner.name == name).map(|owner| owner.pid).collect(),
            Held::Map(_) => Vec::new(),
        };
        let mut pids: Vec<u32> = self.held.iter().flat_map(holds).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// The programs that are held by a process that is meant.
    pub(crate) fn programs_of(&self, is_meant: impl Fn(&Owner) -> bool) -> Vec<u32> {
        let of = |(held, owners): (&Held, &Vec<Owner>)| match held {
            Held::Program(id) if owners.iter().any(&is_meant) => Some(*id),
            _ => None,
        };
        let mut programs: Vec<u32> = self.held.iter().filter_map(of).collect();
        programs.sort_unstable();
        programs
    }

    fn pins(&self) -> &HashMap<Held, PathBuf> {
        self.pins.get_or_init(|| {
            let mounts = fs::read("/proc/self/mounts").unwrap_or_default();
            let mut pins = Pins { found: HashMap::new(), left: MOST_PINS };
            bpffs(&mounts).iter().for_each(|path| pins.look(path, MOST_DEPTH));
            pins.found
        })
    }
}

/// A process, and what it holds. None for one that holds nothing.
fn look_at(pid: u32) -> Option<(Owner, Vec<Held>)> {
    let process = Path::new("/proc").join(pid.to_string());
    let held = held_by(&process);
    // Others that run this tool hold what they look at, and own nothing.
    let is_this =
        || fs::read_link(process.join("exe")).is_ok_and(|exe| fs::read_link("/proc/self/exe").ok() == Some(exe));
    if held.is_empty() || is_this() {
        return None;
    }
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    Some((Owner { pid, name: name.trim_end_matches('\n').to_owned() }, held))
}

/// What the process with this directory in procfs holds.
fn held_by(process: &Path) -> Vec<Held> {
    let mut held = Vec::new();
    // Threads of the kernel have none; most others have nothing of BPF.
    for entry in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
        let is_bpf = |target: PathBuf| target.as_os_str().as_encoded_bytes().starts_with(b"anon_inode:bpf");
        if !fs::read_link(entry.path()).is_ok_and(is_bpf) {
            continue;
        }
        let info = fs::read_to_string(process.join("fdinfo").join(entry.file_name())).unwrap_or_default();
        held.extend(info.lines().filter_map(held_in));
    }
    held
}

/// What a line of a descriptor's info names: programs and links have `prog_id:`, maps have `map_id:`.
fn held_in(line: &str) -> Option<Held> {
    let (name, number) = line.split_once(':')?;
    let id = number.trim().parse().ok()?;
    match name {
        "prog_id" => Some(Held::Program(id)),
        "map_id" => Some(Held::Map(id)),
        _ => None,
    }
}

struct Pins {
    found: HashMap<Held, PathBuf>,
    /// So many files are still looked at.
    left: usize,
}

impl Pins {
    fn look(&mut self, directory: &Path, depth: usize) {
        let mut entries: Vec<_> = fs::read_dir(directory).into_iter().flatten().flatten().collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth > 1 {
                self.look(&entry.path(), depth - 1);
            } else if kind.is_file() && self.left > 0 {
                self.left -= 1;
                if let Some(held) = pinned_at(&entry.path()) {
                    self.found.entry(held).or_insert(entry.path());
                }
            }
        }
    }
}

fn pinned_at(path: &Path) -> Option<Held> {
    let program = || Program::from_pin(path).ok().map(|program| Held::Program(program.info().id));
    let map = || Map::from_pin(path).ok().map(|map| Held::Map(map.info().id));
    let link = || Link::from_pin(path).ok().map(|link| Held::Program(link.info().program_id));
    program().or_else(map).or_else(link)
}

/// Where file systems of pins are mounted: `none /sys/fs/bpf bpf rw 0 0`.
fn bpffs(mounts: &[u8]) -> Vec<PathBuf> {
    let path_of = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == b' ');
        let (path, kind) = (words.nth(1)?, words.next()?);
        (kind == b"bpf").then(|| PathBuf::from(OsString::from_vec(unescaped(path))))
    };
    mounts.split(|byte| *byte == b'\n').filter_map(path_of).collect()
}

/// Blanks and the like stand as `\040` there.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let octal = behind.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if *first == b'\\' => {
                plain.push(byte);
                rest = &behind[3..];
            }
            _ => {
                plain.push(*first);
                rest = behind;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_name_programs_and_maps() {
        assert_eq!(held_in("prog_id:\t12"), Some(Held::Program(12)));
        assert_eq!(held_in("map_id:\t7"), Some(Held::Map(7)));
        for line in ["prog_type:\t1", "link_id:\t3", "map_id:\tx", "prog_id", "pos:\t0"] {
            assert_eq!(held_in(line), None, "{line}");
        }
    }

    #[test]
    fn mounts_may_have_blanks_in_their_paths() {
        let mounts = b"proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw,relatime 0 0\nnone /a\\040b\\134 bpf rw 0 0\n";
        assert_eq!(bpffs(mounts), [PathBuf::from("/sys/fs/bpf"), PathBuf::from("/a b\\")]);
        assert_eq!(unescaped(b"a\\04"), b"a\\04");
    }
}
