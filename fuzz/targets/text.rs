//! See `bpfvar_fuzz::text`.
#![cfg_attr(fuzzing, no_main)]

bpfvar_fuzz::fuzz!(bpfvar_fuzz::text::run);
