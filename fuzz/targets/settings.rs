//! See `bpfvar_fuzz::settings`.
#![cfg_attr(fuzzing, no_main)]

bpfvar_fuzz::fuzz!(bpfvar_fuzz::settings::run);
