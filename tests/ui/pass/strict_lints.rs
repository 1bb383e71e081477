//! What a strict crate denies.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    missing_copy_implementations,
    unsafe_code,
    unreachable_pub,
    dead_code,
    unused,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    nonstandard_style,
    future_incompatible,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility
)]

use bpfvar::MapValue;

/// Documented, its fields not.
#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
pub struct Stats {
    packets: u64,
    #[allow(missing_docs)]
    pub drops: u32,
}

/// Generic, with private types inside.
#[derive(MapValue, Debug, Clone, Copy)]
#[repr(C)]
pub struct Generic<T, const N: usize>([T; N], Private)
where
    T: Copy + 'static;

#[derive(MapValue, Debug, Clone, Copy)]
#[repr(C)]
struct Private(u64);

mod inside {
    use bpfvar::MapValue;

    #[derive(MapValue)]
    #[repr(C)]
    pub(crate) struct Unused {
        pub(crate) packets: u64,
    }
}

/// The names of a C header, which the struct is allowed to have.
#[derive(MapValue, Debug, Clone, Copy)]
#[allow(non_camel_case_types, non_snake_case, non_upper_case_globals)]
#[repr(C)]
pub struct event_t<t: 'static, const max_len: usize> {
    rxBytes: u64,
    data: [t; max_len],
}

/// The derive's use of what is deprecated is not the crate's.
#[derive(MapValue, Debug, Clone, Copy)]
#[repr(C)]
pub struct Old {
    #[deprecated]
    old: u64,
    new: u64,
}

/// As above.
#[derive(MapValue, Debug, Clone, Copy)]
#[deprecated]
#[repr(C)]
pub struct Older {
    old: u64,
}

fn main() {
    let _ = bpfvar::Array::<inside::Unused>::in_process(1).read(0).packets;
}
