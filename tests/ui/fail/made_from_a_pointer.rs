//! Views and handles are made by what owns the memory, and by nothing else.

use bpfvar::{Field, ReadOnly, ReadWrite, SeqView, Shared, Slice, SwitchView};
use std::ptr::NonNull;

fn main() {
    let mut value = 0_u64;
    let at = NonNull::from(&mut value);
    let field: Field<'static, u64, ReadWrite> = unsafe { Field::new(at) };
    let _: Slice<'static, u64, ReadOnly> = unsafe { Slice::new(at.cast(), 1) };
    let _ = SeqView { at: field };
    let _ = SwitchView { at: field };
    let _ = Shared { field };
}
