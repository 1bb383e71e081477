// Names that the derive uses mean something else here.
#![allow(dead_code)]

mod renamed {
    pub(crate) use bpfvar as vars;
}

struct Option;
struct Result;
struct Ok;
struct Some;
struct Globals;

#[derive(bpfvar::Bind)]
#[bind(crate = "crate::renamed::vars")]
struct Count {
    r#type: bpfvar::Shared<u32>,
    #[bind("config.limits[2].burst")]
    burst: std::option::Option<bpfvar::Shared<u32, bpfvar::ReadOnly>>,
    #[bind(map = ".bss")]
    bss: bpfvar::TypedMap,
    #[bind(map = "stats")]
    stats: bpfvar::Array<u64>,
    any: bpfvar::Var,
}

#[derive(bpfvar::Bind)]
struct Nothing {}

fn main() {}
