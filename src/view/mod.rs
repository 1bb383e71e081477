//! Values whose type is known when compiling: views of one value, of its fields, of many.

mod checked;
mod field;
mod layout;
mod map_value;
mod scalar;
mod shared;
mod slice;
mod whole;
mod word;

pub use checked::{Checked, Repr};
pub use field::Field;
pub use layout::Layout;
pub(crate) use layout::{Class, LayoutField, ScalarKind, Shape};
pub use map_value::MapValue;
pub use scalar::{Integer, Scalar};
pub use shared::Shared;
pub use slice::{Iter, Slice};
#[cfg(feature = "bytemuck")]
pub use whole::Bytemuck;
pub use whole::Zerocopy;
pub(crate) use word::with_word;
