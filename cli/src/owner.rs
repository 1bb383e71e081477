//! Who holds a program or a map: processes, by their open descriptors; where no process does, the pin that does.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::thread;

use bpfvar::{Link, Map, Program};

/// So deep, and so many files, are looked for pins.
const MOST_DEPTH: usize = 8;
const MOST_PINS: usize = 10_000;
/// More threads do not make looking faster, nor do threads that look at fewer processes.
const MOST_THREADS: usize = 8;
const LEAST_PROCESSES: usize = 64;

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
    /// By the ids of programs.
    programs: HashMap<u32, Vec<Owner>>,
    /// The descriptors of maps, which are looked at if somebody asks: there are many, and most maps are a program's.
    map_descriptors: Vec<(Owner, PathBuf)>,
    maps: OnceCell<HashMap<u32, Vec<Owner>>>,
    /// The processes whose descriptors this one may not see; 0 stands for all, where /proc shows none.
    hidden: HashSet<u32>,
    pins: OnceCell<Pins>,
}

impl Owners {
    /// Looks at the descriptors of all processes. What vanishes meanwhile, and what this process may not see, is left out.
    pub(crate) fn look() -> Owners {
        let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
        let pids: Vec<u32> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
        // Each descriptor costs a system call of three microseconds, and a server has ten thousands of them.
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let found: Vec<Look> = thread::scope(|scope| {
            let chunks = pids.chunks(pids.len().div_ceil(threads).max(LEAST_PROCESSES));
            let look = |pids: &[u32]| pids.iter().map(|pid| Process::look(*pid)).collect::<Vec<_>>();
            let threads: Vec<_> = chunks.map(|pids| scope.spawn(move || look(pids))).collect();
            threads.into_iter().flat_map(|thread| thread.join().into_iter().flatten()).collect()
        });
        // Where nothing is mounted on /proc, not even this process is there.
        let mut owners = Owners::default();
        owners.hidden.extend(pids.is_empty().then_some(0));
        for look in found {
            let Process { owner, programs, map_descriptors } = match look {
                Look::Holder(process) => process,
                Look::HoldsNothing => continue,
                Look::Hidden(pid) => {
                    owners.hidden.insert(pid);
                    continue;
                }
            };
            programs.into_iter().for_each(|id| owners.programs.entry(id).or_default().push(owner.clone()));
            owners.map_descriptors.extend(map_descriptors.into_iter().map(|path| (owner.clone(), path)));
        }
        sort(&mut owners.programs);
        owners
    }

    /// The processes that hold a program, or a link that attaches it, by their numbers.
    pub(crate) fn of_program(&self, id: u32) -> &[Owner] {
        self.programs.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The processes that hold a map. The first question looks at all descriptors of maps.
    pub(crate) fn of_map(&self, id: u32) -> &[Owner] {
        let maps = self.maps.get_or_init(|| {
            let mut maps: HashMap<u32, Vec<Owner>> = HashMap::new();
            for (owner, path) in &self.map_descriptors {
                if let Some(id) = id_in(path, "map_id") {
                    maps.entry(id).or_default().push(owner.clone());
                }
            }
            sort(&mut maps);
            maps
        });
        maps.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Where a program, or a link that attaches it, is pinned. The first question looks through all file systems of pins.
    pub(crate) fn pin_of_program(&self, id: u32) -> Option<&Path> {
        self.pins().programs.get(&id).map(PathBuf::as_path)
    }

    /// The same of a map.
    pub(crate) fn pin_of_map(&self, id: u32) -> Option<&Path> {
        self.pins().maps.get(&id).map(PathBuf::as_path)
    }

    /// Whether there are processes of which it cannot be told what they hold.
    pub(crate) fn are_hidden(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// Whether this is one of them.
    pub(crate) fn is_hidden(&self, pid: u32) -> bool {
        self.hidden.contains(&pid) || self.hidden.contains(&0)
    }

    /// The name of a process that holds a program.
    pub(crate) fn name_of(&self, pid: u32) -> Option<&str> {
        let owner = self.programs.values().flatten().find(|owner| owner.pid == pid);
        owner.map(|owner| owner.name.as_str())
    }

    /// The processes of this name that hold programs.
    pub(crate) fn pids_named(&self, name: &str) -> Vec<u32> {
        let named = self.programs.values().flatten().filter(|owner| owner.name == name);
        let mut pids: Vec<u32> = named.map(|owner| owner.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// The programs that are held by a process that is meant.
    pub(crate) fn programs_of(&self, is_meant: impl Fn(&Owner) -> bool) -> Vec<u32> {
        let held = self.programs.iter().filter(|(_, owners)| owners.iter().any(&is_meant));
        let mut programs: Vec<u32> = held.map(|(id, _)| *id).collect();
        programs.sort_unstable();
        programs
    }

    fn pins(&self) -> &Pins {
        self.pins.get_or_init(|| {
            let mounts = fs::read("/proc/self/mounts").unwrap_or_default();
            let mut pins = Pins { programs: HashMap::new(), maps: HashMap::new(), left: MOST_PINS };
            bpffs(&mounts).iter().for_each(|path| pins.look(path, MOST_DEPTH));
            pins
        })
    }
}

/// Each process once, in the order of their numbers.
fn sort(held: &mut HashMap<u32, Vec<Owner>>) {
    held.values_mut().for_each(|owners| {
        owners.sort();
        owners.dedup();
    });
}

/// What the descriptors of a process say.
enum Look {
    Holder(Process),
    HoldsNothing,
    /// This process may not see them.
    Hidden(u32),
}

/// A process that holds something of BPF.
struct Process {
    owner: Owner,
    programs: Vec<u32>,
    /// What procfs says of each descriptor of a map.
    map_descriptors: Vec<PathBuf>,
}

impl Process {
    fn look(pid: u32) -> Look {
        let process = Path::new("/proc").join(pid.to_string());
        let (mut programs, mut map_descriptors) = (Vec::new(), Vec::new());
        // Threads of the kernel have none; most others have nothing of BPF.
        let is_refused = |error: &io::Error| error.kind() == ErrorKind::PermissionDenied;
        let entries = fs::read_dir(process.join("fd"));
        if entries.as_ref().is_err_and(is_refused) {
            return Look::Hidden(pid);
        }
        for entry in entries.into_iter().flatten().flatten() {
            let info = || process.join("fdinfo").join(entry.file_name());
            let target = fs::read_link(entry.path());
            if target.as_ref().is_err_and(is_refused) {
                return Look::Hidden(pid);
            }
            match target.unwrap_or_default().as_os_str().as_encoded_bytes() {
                b"anon_inode:bpf-map" => map_descriptors.push(info()),
                b"anon_inode:bpf-prog" | b"anon_inode:bpf_link" | b"anon_inode:bpf-link" => {
                    programs.extend(id_in(&info(), "prog_id"));
                }
                _ => {}
            }
        }
        // Others that run this tool, or another build of it, hold what they look at, and own nothing.
        let executable = |process: &Path| fs::read_link(process.join("exe")).ok()?.file_name().map(ToOwned::to_owned);
        let is_this = || executable(&process).is_some_and(|name| Some(name) == executable(Path::new("/proc/self")));
        if programs.is_empty() && map_descriptors.is_empty() || is_this() {
            return Look::HoldsNothing;
        }
        let name = fs::read(process.join("comm")).unwrap_or_default();
        let owner = Owner { pid, name: String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned() };
        Look::Holder(Process { owner, programs, map_descriptors })
    }
}

/// The number that what procfs says of a descriptor has under a name.
fn id_in(info: &Path, name: &str) -> Option<u32> {
    id_of(&fs::read_to_string(info).ok()?, name)
}

fn id_of(info: &str, name: &str) -> Option<u32> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
}

/// What is pinned, and where.
#[derive(Debug)]
struct Pins {
    programs: HashMap<u32, PathBuf>,
    maps: HashMap<u32, PathBuf>,
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
                self.add(entry.path());
            }
        }
    }

    fn add(&mut self, path: PathBuf) {
        if let Ok(program) = Program::from_pin(&path) {
            self.programs.entry(program.info().id).or_insert(path);
        } else if let Ok(map) = Map::from_pin(&path) {
            self.maps.entry(map.info().id).or_insert(path);
        } else if let Ok(link) = Link::from_pin(&path) {
            self.programs.entry(link.info().program_id).or_insert(path);
        }
    }
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
    fn descriptors_name_programs_and_maps() {
        let info = "pos:\t0\nprog_type:\t1\nprog_id:\t12\nmap_idle:\t3\nmap_id:\t7\n";
        assert_eq!((id_of(info, "prog_id"), id_of(info, "map_id")), (Some(12), Some(7)));
        assert_eq!((id_of("map_id:\tx\n", "map_id"), id_of("", "map_id")), (None, None));
    }

    #[test]
    fn mounts_may_have_blanks_in_their_paths() {
        let mounts = b"proc /proc proc rw 0 0\nbpf /sys/fs/bpf bpf rw,relatime 0 0\nnone /a\\040b\\134 bpf rw 0 0\n";
        assert_eq!(bpffs(mounts), [PathBuf::from("/sys/fs/bpf"), PathBuf::from("/a b\\")]);
        assert_eq!(unescaped(b"a\\04"), b"a\\04");
    }
}
