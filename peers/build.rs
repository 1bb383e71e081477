//! Generates the skeleton of `bpf/count.bpf.c` as users of libbpf-rs do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "loaders")]
    skeleton();
}

#[cfg(feature = "loaders")]
fn skeleton() {
    const OBJECT: &str = "../bpf/objects/count.bpf.o";
    println!("cargo::rerun-if-changed={OBJECT}");
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where"));
    libbpf_cargo::SkeletonBuilder::new()
        .obj(OBJECT)
        .generate(out.join("count.skel.rs"))
        .expect("the object has what a skeleton needs");
}
