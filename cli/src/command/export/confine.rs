//! The exporter reads. From here on the kernel refuses it everything else that can be done to maps and programs.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{MaskedEq, Ne};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

use crate::error::{Failure, Result};

/// The commands of bpf(2) that change nothing: those of `enum bpf_cmd` that look up a value, open by path or by id, list ids, and
/// tell about what is open.
const READING: [u64; 8] = [1, 7, 11, 12, 13, 14, 15, 19];

/// Leaves this thread, and those that it starts, no way to write to a map: other commands of bpf(2) and shared writable mappings are
/// refused, for good. A mapping that was made for reading the kernel never makes writable.
pub(super) fn confine() -> Result<()> {
    // Elsewhere the library's types alone see to it.
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let filter = filter(arch).map_err(seccompiler::Error::from);
    filter.and_then(|filter| apply_filter(&filter)).map_err(|error| {
        Failure::new(format!("the kernel cannot be told to refuse writing: {error}; it needs CONFIG_SECCOMP_FILTER"))
    })
}

fn filter(arch: TargetArch) -> std::result::Result<BpfProgram, BackendError> {
    let is_other = READING.iter().map(|command| SeccompCondition::new(0, Dword, Ne, *command));
    let writes = SeccompRule::new(is_other.collect::<Result<_, _>>()?)?;
    let (write, shared) = (libc::PROT_WRITE as u64, libc::MAP_SHARED as u64);
    let maps = SeccompRule::new(vec![
        SeccompCondition::new(2, Dword, MaskedEq(write), write)?,
        SeccompCondition::new(3, Dword, MaskedEq(shared), shared)?,
    ])?;
    let rules = BTreeMap::from([(libc::SYS_bpf, vec![writes]), (libc::SYS_mmap, vec![maps])]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch)?.try_into()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use bpfvar::{Array, Map};

    use super::*;

    #[test]
    fn what_is_confined_reads_and_cannot_write() {
        if !bpfvar_testkit::host::ready((5, 5)) {
            return;
        }
        let counters = Array::<u64>::builder().name("confined").entries(4).create().unwrap();
        counters.write(2, 7);
        let id = counters.map().unwrap().info().id;
        // A thread of its own: there is no way back.
        let confined = thread::spawn(move || {
            confine().unwrap();
            let map = Map::from_id(id).unwrap();
            let mut value = [0; 8];
            map.lookup(2, &mut value).unwrap();
            assert_eq!(u64::from_ne_bytes(value), 7);
            let array = Array::<u64, bpfvar::ReadOnly>::from_id(id).unwrap();
            assert_eq!(array.read(2), 7);
            assert_eq!(map.update(2, &[0; 8]).unwrap_err().raw_os_error(), Some(libc::EPERM));
            assert!(map.freeze().is_err());
            assert!(Array::<u64>::from_id(id).is_err(), "no writable mapping");
            assert!(Map::builder().name("new").value_size(8).entries(1).create().is_err());
            array.read(2)
        });
        assert_eq!(confined.join().unwrap(), 7);
        assert_eq!(counters.read(2), 7);
    }
}
