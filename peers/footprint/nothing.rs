//! What a program costs that does nothing, for comparison.

fn main() {}
