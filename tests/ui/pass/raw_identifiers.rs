//! Keywords as names.
#![allow(non_camel_case_types)]

use bpfvar::{Array, MapValue};

#[derive(MapValue)]
#[repr(C)]
struct r#try {
    r#type: u64,
    r#match: u32,
    r#async: r#struct,
}

#[derive(MapValue)]
#[map_value(view = "r#impl")]
#[repr(C)]
struct r#struct {
    r#fn: u32,
}

fn main() {
    let array = Array::<r#try>::in_process(1);
    let view: tryView<'_> = array.at(0);
    let inner: r#impl<'_> = view.r#async;
    view.r#type.write(1);
    inner.r#fn.write(2);
    assert_eq!(view.read().r#async.r#fn, 2);
    assert_eq!(
        format!("{view:?}"),
        "tryView { type: 1, match: 0, async: impl { fn: 2 } }"
    );
}
