//! Values whose type is known when compiling: views of one value, of its fields, of many.

mod cache_line;
mod checked;
mod field;
mod layout;
mod map_value;
mod plain;
mod protocol;
mod scalar;
mod seq;
mod shared;
mod slice;
mod switch;
mod whole;
mod writer;

pub use cache_line::{CacheLine, CacheLineView};
pub use checked::{Checked, Repr};
pub use field::Field;
pub use layout::Layout;
pub(crate) use layout::{Class, LayoutField, ScalarKind, Shape};
pub use map_value::MapValue;
pub use plain::{Plain, PlainStruct};
pub(crate) use protocol::slot_of;
pub use scalar::{Integer, Scalar};
pub use seq::{Seq, SeqView};
pub(crate) use seq::{Start, TRIES, bpfvar_seq};
pub use shared::Shared;
pub use slice::{Iter, Slice};
pub use switch::{Switch, SwitchView};
pub(crate) use switch::{SwitchHead, bpfvar_switch};
#[cfg(feature = "bytemuck")]
pub use whole::Bytemuck;
pub use whole::Zerocopy;
pub(crate) use writer::Lock;
