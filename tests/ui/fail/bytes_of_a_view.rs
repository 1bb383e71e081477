//! A view, a handle and an array are no bytes: no safe transmutation makes one, or an address of one.

use bpfvar::{Array, Field, PerCpu, ReadWrite, Shared, Slice};
use bytemuck::{NoUninit, Zeroable};
use zerocopy::{FromZeros, IntoBytes};

fn bytemuck_made<T: Zeroable>() {}

fn bytemuck_read<T: NoUninit>() {}

fn zerocopy_made<T: FromZeros>() {}

fn zerocopy_read<T: IntoBytes>() {}

fn main() {
    bytemuck_made::<Field<'static, u64, ReadWrite>>();
    bytemuck_made::<Shared<u64>>();
    bytemuck_read::<Field<'static, u64, ReadWrite>>();
    bytemuck_read::<Slice<'static, u64, ReadWrite>>();
    zerocopy_made::<Field<'static, u64, ReadWrite>>();
    zerocopy_made::<Slice<'static, u64, ReadWrite>>();
    zerocopy_made::<Array<u64>>();
    zerocopy_read::<Field<'static, u64, ReadWrite>>();
    zerocopy_read::<PerCpu<u64>>();
}
