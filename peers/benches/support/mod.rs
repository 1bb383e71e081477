//! What the benches beside other libraries share.

pub(crate) mod cilium;
pub(crate) mod kernel;
pub(crate) mod libbpf;
pub(crate) mod section;

#[path = "../../../benches/support/comparison.rs"]
pub(crate) mod comparison;
