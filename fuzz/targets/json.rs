//! See `bpfvar_fuzz::json`.
#![cfg_attr(fuzzing, no_main)]

bpfvar_fuzz::fuzz!(bpfvar_fuzz::json::run);
