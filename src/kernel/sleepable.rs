//! Which programs are sleepable. No info of the kernel tells; its own struct does, which an iterator may look into.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::{Map, MapInfo, ProgramInfo};
use crate::error::Cause;
use crate::sys::{Insn, run_iterator};
use crate::types::{Bits, Btf, Int, Kind, Part};

/// The ids of all sleepable programs of the system. None where that cannot be told: without `CAP_BPF` and `CAP_PERFMON`, before
/// Linux 5.10, or on a kernel without BTF of its own.
///
/// A program of a dozen instructions is loaded, run over all programs (`bpf_iter_bpf_prog` in `kernel/bpf/prog_iter.c`) and
/// unloaded.
pub(crate) fn sleepable_programs() -> Option<HashSet<u32>> {
    static PLACES: OnceLock<Option<Places>> = OnceLock::new();
    let places = PLACES.get_or_init(|| Places::of(&Btf::parse(&fs::read("/sys/kernel/btf/vmlinux").ok()?).ok()?));
    let places = places.as_ref()?;
    let output = run_iterator(c"bpfvar_sleeps", places.function, &places.program(), c"Dual MIT/GPL").ok()?;
    let word = |bytes: &[u8]| bytes.try_into().map(u32::from_ne_bytes).unwrap_or(0);
    let records = output.chunks_exact(8).map(|record| (word(&record[..4]), word(&record[4..])));
    Some(records.filter(|(_, flag)| flag & u32::from(places.sleepable.mask) != 0).map(|(id, _)| id).collect())
}

/// Whether a part of the program may run later, as work that can sleep: the program's own flag says nothing of it. Such work is
/// kept in the values of maps, as `struct bpf_wq` (Linux 6.10) or `struct bpf_task_work` (6.18). True also where that cannot be
/// told.
pub(crate) fn defers_work(info: &ProgramInfo) -> bool {
    /// Types of values never change, so what was looked at is not looked at again.
    static WITHOUT: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
    let mut without = WITHOUT.lock().unwrap_or_else(PoisonError::into_inner);
    info.map_ids.iter().any(|id| {
        if without.contains(id) {
            return false;
        }
        let holds_work = match Map::from_id(*id) {
            Ok(map) => map_holds_work(map.info()),
            // Then the program is gone, too.
            Err(error) => error.cause() != Some(Cause::NoSuchId),
        };
        if !holds_work {
            without.insert(*id);
        }
        holds_work
    })
}

fn map_holds_work(info: &MapInfo) -> bool {
    if info.btf_id == 0 {
        return false;
    }
    let Ok(btf) = Btf::from_id(info.btf_id) else { return true };
    let Some(value) = btf.id(info.btf_value_type_id) else { return false };
    btf.holds_struct(value, &["bpf_wq", "bpf_task_work"])
}

/// Where the kernel's structs have what is looked for.
struct Places {
    /// The type of the function that iterators of programs stand for.
    function: u32,
    /// `bpf_prog::aux`.
    aux: i16,
    /// `bpf_prog_aux::id`.
    id: i16,
    sleepable: Flag,
}

struct Flag {
    /// In the program (Linux 6.8) or in what `aux` points to.
    in_aux: bool,
    byte: i16,
    mask: u8,
}

impl Places {
    fn of(btf: &Btf) -> Option<Places> {
        let program = btf.members_of("bpf_prog")?;
        let aux = btf.members_of("bpf_prog_aux")?;
        let find = |members: &[(&str, Part)], name: &str| {
            members.iter().find(|(member, _)| *member == name).map(|(_, part)| *part)
        };
        let (in_aux, part) = match find(&program, "sleepable") {
            Some(part) => (false, part),
            None => (true, find(&aux, "sleepable")?),
        };
        let mask = match (part.bits, btf.kind(part.of)) {
            (Some(bits @ Bits { start: 0..8, len: 1 }), _) => 1 << btf.order().shift(1, bits),
            (None, Kind::Int(Int { size: 1, .. })) => u8::MAX,
            _ => return None,
        };
        let offset = |part: Part| i16::try_from(part.offset).ok();
        Some(Places {
            function: btf.function("bpf_iter_bpf_prog")?,
            aux: offset(find(&program, "aux")?)?,
            id: offset(find(&aux, "id")?)?,
            sleepable: Flag { in_aux, byte: offset(part)?, mask },
        })
    }

    /// Writes the id and the byte with the flag of each program.
    fn program(&self) -> Vec<Insn> {
        const LOAD_64: u8 = 0x79;
        const LOAD_32: u8 = 0x61;
        const LOAD_8: u8 = 0x71;
        const STORE_32: u8 = 0x63;
        const MOVE: u8 = 0xbf;
        const MOVE_NUMBER: u8 = 0xb7;
        const ADD_NUMBER: u8 = 0x07;
        const IF_EQUAL: u8 = 0x15;
        const CALL: u8 = 0x85;
        const EXIT: u8 = 0x95;
        const SEQ_WRITE: i32 = 127;
        let (context, program, aux, value, frame) = (6, 7, 8, 2, 10);
        let with_flag = if self.sleepable.in_aux { aux } else { program };
        vec![
            Insn::new(MOVE, context, 1, 0, 0),
            // struct bpf_iter__bpf_prog { struct bpf_iter_meta *meta; struct bpf_prog *prog; }; the last call is without one.
            Insn::new(LOAD_64, program, context, 8, 0),
            Insn::new(IF_EQUAL, program, 0, 11, 0),
            Insn::new(LOAD_64, aux, program, self.aux, 0),
            Insn::new(LOAD_32, value, aux, self.id, 0),
            Insn::new(STORE_32, frame, value, -8, 0),
            Insn::new(LOAD_8, value, with_flag, self.sleepable.byte, 0),
            Insn::new(STORE_32, frame, value, -4, 0),
            // struct bpf_iter_meta { struct seq_file *seq; ... }
            Insn::new(LOAD_64, 1, context, 0, 0),
            Insn::new(LOAD_64, 1, 1, 0, 0),
            Insn::new(MOVE, 2, frame, 0, 0),
            Insn::new(ADD_NUMBER, 2, 0, 0, -8),
            Insn::new(MOVE_NUMBER, 3, 0, 0, 8),
            Insn::new(CALL, 0, 0, 0, SEQ_WRITE),
            Insn::new(MOVE_NUMBER, 0, 0, 0, 0),
            Insn::new(EXIT, 0, 0, 0, 0),
        ]
    }
}
