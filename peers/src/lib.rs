//! Other people's loaders beside bpfvar. All of it is in the tests, which need the feature `loaders`:
//! `cargo test -p bpfvar-peers --features loaders`. Without the feature nothing of theirs is built.
