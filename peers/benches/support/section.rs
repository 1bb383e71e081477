//! A program with a section of variables, loaded by libbpf-rs and by aya, and every way to change one variable of it.

use std::mem::MaybeUninit;

use aya::Ebpf;
use aya::maps::{Array, MapData};
use aya::programs::Program as AyaProgram;
use bpfvar_objects::Source;
use bpfvar_peers::count::{CountSkel, CountSkelBuilder};
use libbpf_rs::OpenObject;
use libbpf_rs::skel::{OpenSkel, SkelBuilder};

/// The skeleton of `count.bpf.c`, loaded.
pub(crate) fn by_libbpf_rs(storage: &mut MaybeUninit<OpenObject>) -> CountSkel<'_> {
    let open = CountSkelBuilder::default().open(storage).expect("libbpf reads the object");
    open.load().expect("libbpf loads the object")
}

/// The same by aya.
pub(crate) fn by_aya() -> Ebpf {
    let mut ebpf = Ebpf::load(Source::Count.bytes()).expect("aya loads the maps");
    let program = ebpf.program_mut("count").expect("it has one");
    let AyaProgram::SocketFilter(program) = program else { panic!("count is a socket filter") };
    program.load().expect("the kernel takes the program");
    ebpf
}

/// A section of the program that aya loaded. aya makes its sections without `BPF_F_MMAPABLE`.
pub(crate) fn of_aya<const SIZE: usize>(ebpf: &mut Ebpf, name: &str) -> Array<MapData, [u8; SIZE]> {
    let map = ebpf.take_map(name).expect("the object has this section");
    Array::try_from(map).expect("a section is an array of one entry")
}
