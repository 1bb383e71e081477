//! How a Rust type lies in memory, as data: to hold it against BTF, and to make BTF of it.
#![allow(unsafe_code)]

use super::whole::each_word;
use crate::types::{Description, Emitter, Encoding, TypeId};

/// Where the scalars of a type lie and what they are called. Only this crate and what the derive emits can make one, so it is
/// true of whatever type can touch memory at all.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Layout(Shape);

#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Scalar(ScalarKind),
    Array {
        element: Box<Layout>,
        len: usize,
        stride: usize,
    },
    Struct {
        name: &'static str,
        size: usize,
        fields: Vec<LayoutField>,
    },
    /// Bytes whose meaning is not known here, accessed in the words that [`each_word`] finds.
    Words {
        size: usize,
    },
    /// Of a type that says nothing of itself, and that therefore cannot touch memory either.
    Opaque,
}

#[derive(Clone, Debug)]
pub(crate) struct LayoutField {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) layout: Layout,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScalarKind {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) class: Class,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Unsigned,
    Signed,
    Float,
    Bool,
}

impl Layout {
    pub(super) fn scalar<S>(name: &'static str, class: Class) -> Layout {
        Layout(Shape::Scalar(ScalarKind { name, size: size_of::<S>(), class }))
    }

    pub(super) fn array<T>(element: Layout, len: usize) -> Layout {
        Layout(Shape::Array { element: Box::new(element), len, stride: size_of::<T>() })
    }

    pub(super) fn words<T>() -> Layout {
        Layout(Shape::Words { size: size_of::<T>() })
    }

    pub(super) fn opaque() -> Layout {
        Layout(Shape::Opaque)
    }

    /// A struct whose fields follow by [`Layout::with`].
    pub fn structure<T>(name: &'static str) -> Layout {
        Layout(Shape::Struct { name, size: size_of::<T>(), fields: Vec::new() })
    }

    /// A field more.
    ///
    /// # Safety
    ///
    /// As for [`Field::project`](crate::Field::project); and views of `T` touch nothing but its fields said here.
    pub unsafe fn with<T, F: super::MapValue>(
        mut self,
        name: &'static str,
        place: unsafe fn(*mut T) -> *mut F,
    ) -> Layout {
        // On the heap, for T may be larger than a stack.
        let mut whole = Box::<T>::new_uninit();
        let base = whole.as_mut_ptr();
        // SAFETY: the address of a T; `place` accesses nothing, says the caller.
        let at = unsafe { place(base) };
        let offset = at.addr() - base.addr();
        if let Shape::Struct { fields, .. } = &mut self.0 {
            fields.push(LayoutField { name, offset, layout: F::layout() });
        }
        self
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.0
    }

    /// Where the last scalar ends: the size without padding behind it. None if that is not known.
    pub(crate) fn end(&self) -> Option<usize> {
        match &self.0 {
            Shape::Scalar(ScalarKind { size, .. }) | Shape::Words { size } => Some(*size),
            Shape::Array { len: 0, .. } => Some(0),
            Shape::Array { element, len, stride } => Some((len - 1) * stride + element.end()?),
            Shape::Struct { fields, .. } => fields
                .iter()
                .map(|field| Some(field.offset + field.layout.end()?))
                .try_fold(0, |end, field| Some(end.max(field?))),
            Shape::Opaque => None,
        }
    }

    /// Calls `leaf` with offset and width of everything that is accessed in one step, in a value at `at` from an address that
    /// is a multiple of 8.
    pub(crate) fn each_leaf(&self, at: usize, leaf: &mut impl FnMut(usize, usize)) {
        match &self.0 {
            Shape::Scalar(ScalarKind { size, .. }) => leaf(at, *size),
            Shape::Array { element, len, stride } => {
                for index in 0..*len {
                    element.each_leaf(at + index * stride, leaf);
                }
            }
            Shape::Struct { fields, .. } => {
                for field in fields {
                    field.layout.each_leaf(at + field.offset, leaf);
                }
            }
            Shape::Words { size } => each_word(at, *size, |offset, width| leaf(at + offset, width)),
            Shape::Opaque => {}
        }
    }

    /// The type as messages name it: `u32`, `[u64; 4]`, `Config`.
    pub(crate) fn name(&self) -> String {
        match &self.0 {
            Shape::Scalar(ScalarKind { name, .. }) => (*name).to_owned(),
            Shape::Array { element, len, .. } => format!("[{}; {len}]", element.name()),
            Shape::Struct { name, .. } => (*name).to_owned(),
            Shape::Words { size } => format!("{size} bytes"),
            Shape::Opaque => "value of another kind".to_owned(),
        }
    }

    /// BTF of an array map with such values. None where the format has no room for it, or nothing is known of it.
    pub(crate) fn describe(&self) -> Option<Description> {
        let mut emitter = Emitter::default();
        let key = emitter.int("unsigned int", 4, Encoding::Unsigned).0;
        let value = self.emit(&mut emitter)?.0;
        Some(Description { bytes: emitter.finish(), key, value })
    }

    /// The type in BTF. None where the format has no room for it, or nothing is known of it.
    fn emit(&self, to: &mut Emitter) -> Option<TypeId> {
        match &self.0 {
            Shape::Scalar(ScalarKind { name, size, class }) => {
                let size = *size as u32;
                Some(match class {
                    Class::Unsigned => to.int(name, size, Encoding::Unsigned),
                    Class::Signed => to.int(name, size, Encoding::Signed),
                    Class::Bool => to.int(name, size, Encoding::Bool),
                    Class::Float => to.float(name, size),
                })
            }
            Shape::Array { element, len, .. } => {
                let element = element.emit(to)?;
                Some(to.array(element, u32::try_from(*len).ok()?))
            }
            Shape::Struct { name, size, fields } => {
                let members: Option<Vec<_>> = fields
                    .iter()
                    .map(|field| {
                        Some((field.name.to_owned(), field.layout.emit(to)?, u32::try_from(field.offset).ok()?))
                    })
                    .collect();
                to.structure(name, u32::try_from(*size).ok()?, &members?)
            }
            Shape::Words { size } => {
                let byte = to.int("u8", 1, Encoding::Unsigned);
                Some(to.array(byte, u32::try_from(*size).ok()?))
            }
            Shape::Opaque => None,
        }
    }
}
