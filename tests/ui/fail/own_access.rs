use bpfvar::Access;

enum WriteOnly {}

impl Access for WriteOnly {}

fn main() {}
