//! See `bpfvar_fuzz::btf`.
#![cfg_attr(fuzzing, no_main)]

bpfvar_fuzz::fuzz!(bpfvar_fuzz::btf::run);
