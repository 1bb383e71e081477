//! See `bpfvar_fuzz::paths`.
#![cfg_attr(fuzzing, no_main)]

bpfvar_fuzz::fuzz!(bpfvar_fuzz::paths::run);
