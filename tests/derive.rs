//! `#[derive(MapValue)]`

/// The messages are those of Rust 1.95, and are read by people: `TRYBUILD=overwrite cargo test --test derive`, then `git diff`.
#[test]
fn what_cannot_lie_in_a_map_is_refused_where_it_stands_with_the_reason() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}
