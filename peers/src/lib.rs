//! Other people's loaders beside bpfvar: tests, examples, benches and the footprint of small programs. Whatever runs a loader
//! needs the feature `loaders`: `cargo test -p bpfvar-peers --features loaders`. Without the feature nothing of theirs is built.

/// The skeleton of `bpf/count.bpf.c`, as libbpf-cargo generates it.
#[cfg(feature = "loaders")]
#[allow(
    clippy::all,
    clippy::multiple_unsafe_ops_per_block,
    clippy::undocumented_unsafe_blocks,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated"
)]
pub mod count {
    include!(concat!(env!("OUT_DIR"), "/count.skel.rs"));
}
