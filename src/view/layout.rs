//! How a Rust type lies in memory, as data: to hold it against BTF, and to make BTF of it.
#![allow(unsafe_code)]

use std::alloc;
use std::any::TypeId as RustType;
use std::ptr::NonNull;

use super::{MapValue, Scalar};
use crate::memory::each_word;
use crate::types::{Description, Emitter, Encoding, TypeId};

/// Where the scalars of a type lie and what they are called.
///
/// Only this crate and what the derive emits can make one that is not opaque, and it is marked with the type that it is true
/// of. [`MapValue::layout`] is safe to write by hand and may give that of any other type, so it is believed only through
/// [`Layout::of`], which looks at the mark.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Layout {
    of: RustType,
    shape: Shape,
}

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
    /// A `repr(transparent)` struct, or a [`Checked`](super::Checked) scalar: what is inside, under another name.
    Newtype {
        name: &'static str,
        inner: Box<Layout>,
    },
    /// Bytes whose meaning is not known here, accessed in the words that [`each_word`] finds.
    Words {
        size: usize,
    },
    /// Of a type that says nothing of itself, or what is true of another type.
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
    /// The layout of `T`; opaque if its implementation of the trait gives another type's.
    pub(crate) fn of<T: MapValue>() -> Layout {
        let layout = T::layout();
        if layout.of == RustType::of::<T>() { layout } else { Layout::opaque::<T>() }
    }

    pub(super) fn scalar<S: 'static>(name: &'static str, class: Class) -> Layout {
        let shape = Shape::Scalar(ScalarKind { name, size: size_of::<S>(), class });
        Layout { of: RustType::of::<S>(), shape }
    }

    pub(super) fn array<T: MapValue, const N: usize>() -> Layout {
        let shape = Shape::Array { element: Box::new(Layout::of::<T>()), len: N, stride: size_of::<T>() };
        Layout { of: RustType::of::<[T; N]>(), shape }
    }

    /// Of a `Zerocopy` or `Bytemuck`.
    pub(super) fn words<W: 'static>() -> Layout {
        Layout { of: RustType::of::<W>(), shape: Shape::Words { size: size_of::<W>() } }
    }

    pub(super) fn opaque<T: 'static>() -> Layout {
        Layout { of: RustType::of::<T>(), shape: Shape::Opaque }
    }

    /// Starts a struct whose fields follow by [`Layout::with`].
    ///
    /// # Safety
    ///
    /// All fields of `T` follow.
    pub unsafe fn structure<T: 'static>(name: &'static str) -> Layout {
        Layout { of: RustType::of::<T>(), shape: Shape::Struct { name, size: size_of::<T>(), fields: Vec::new() } }
    }

    /// Adds a field.
    ///
    /// # Safety
    ///
    /// As for [`Field::project`](crate::Field::project); and views of `T` access only the fields declared here.
    pub unsafe fn with<T: 'static, F: MapValue>(
        mut self,
        name: &'static str,
        place: unsafe fn(*mut T) -> *mut F,
    ) -> Layout {
        let Some(room) = Room::<T>::new() else {
            // No memory for a T, so none in which one could be accessed.
            return Layout { shape: Shape::Opaque, ..self };
        };
        assert!(self.of == RustType::of::<T>(), "the fields of a struct are its own");
        // SAFETY: the address of room for a T; `place` accesses nothing, says the caller.
        let at = unsafe { place(room.at.as_ptr()) };
        let offset = at.addr() - room.at.addr().get();
        if let Shape::Struct { fields, .. } = &mut self.shape {
            fields.push(LayoutField { name, offset, layout: Layout::of::<F>() });
        }
        self
    }

    /// Of a type that is a scalar in memory.
    pub(super) fn newtype_of<T: 'static, S: Scalar>(name: &'static str) -> Layout {
        Layout { of: RustType::of::<T>(), shape: Shape::Newtype { name, inner: Box::new(Layout::of::<S>()) } }
    }

    /// Returns the layout of a `repr(transparent)` struct around a field of type `F`.
    ///
    /// # Safety
    ///
    /// As for [`Field::project`](crate::Field::project); and views of `T` access only this field.
    pub unsafe fn transparent<T: 'static, F: MapValue>(
        name: &'static str,
        _place: unsafe fn(*mut T) -> *mut F,
    ) -> Layout {
        // An attribute macro may have taken the attribute away. A field as long as the struct starts where it starts.
        if size_of::<T>() != size_of::<F>() {
            return Layout::opaque::<T>();
        }
        Layout { of: RustType::of::<T>(), shape: Shape::Newtype { name, inner: Box::new(Layout::of::<F>()) } }
    }

    /// What it is in memory.
    pub(crate) fn shape(&self) -> &Shape {
        match &self.shape {
            Shape::Newtype { inner, .. } => inner.shape(),
            shape => shape,
        }
    }

    /// In bytes, if it is known.
    pub(crate) fn size(&self) -> Option<usize> {
        match &self.shape {
            Shape::Scalar(ScalarKind { size, .. }) | Shape::Words { size } | Shape::Struct { size, .. } => Some(*size),
            Shape::Array { len, stride, .. } => Some(len * stride),
            Shape::Newtype { inner, .. } => inner.size(),
            Shape::Opaque => None,
        }
    }

    /// Where the last scalar ends: the size without padding behind it. None if any part is not known.
    pub(crate) fn end(&self) -> Option<usize> {
        match &self.shape {
            Shape::Scalar(ScalarKind { size, .. }) | Shape::Words { size } => Some(*size),
            Shape::Array { element, len, stride } => {
                let end = element.end()?;
                Some(len.checked_sub(1).map_or(0, |last| last * stride + end))
            }
            Shape::Struct { fields, .. } => fields.iter().try_fold(0, |end, field| {
                // A field without bytes reaches nowhere.
                let len = field.layout.end()?;
                Some(if len == 0 { end } else { end.max(field.offset + len) })
            }),
            Shape::Newtype { inner, .. } => inner.end(),
            Shape::Opaque => None,
        }
    }

    /// Calls `leaf` with offset and width of everything known that is accessed in one step, in a value at `at` from an address
    /// that is a multiple of 8.
    pub(crate) fn each_leaf(&self, at: usize, leaf: &mut impl FnMut(usize, usize)) {
        match &self.shape {
            Shape::Scalar(ScalarKind { size, .. }) => leaf(at, *size),
            // Elements without bytes, of which there may be any number.
            Shape::Array { stride: 0, .. } => {}
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
            Shape::Newtype { inner, .. } => inner.each_leaf(at, leaf),
            Shape::Opaque => {}
        }
    }

    /// The type as messages name it: `u32`, `[u64; 4]`, `Config`.
    pub(crate) fn name(&self) -> String {
        match &self.shape {
            Shape::Scalar(ScalarKind { name, .. }) => (*name).to_owned(),
            Shape::Array { element, len, .. } => format!("[{}; {len}]", element.name()),
            Shape::Struct { name, .. } | Shape::Newtype { name, .. } => (*name).to_owned(),
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
        match &self.shape {
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
            Shape::Newtype { inner, .. } => inner.emit(to),
            Shape::Opaque => None,
        }
    }
}

/// Room for a `T` that is never made: its fields have places in it. On the heap, for `T` may be larger than a stack, or than
/// memory.
struct Room<T> {
    at: NonNull<T>,
}

impl<T> Room<T> {
    const LAYOUT: alloc::Layout = alloc::Layout::new::<T>();

    fn new() -> Option<Room<T>> {
        if Self::LAYOUT.size() == 0 {
            return Some(Room { at: NonNull::dangling() });
        }
        // SAFETY: not of size 0.
        let at = unsafe { alloc::alloc(Self::LAYOUT) };
        NonNull::new(at.cast()).map(|at| Room { at })
    }
}

impl<T> Drop for Room<T> {
    fn drop(&mut self) {
        if Self::LAYOUT.size() != 0 {
            // SAFETY: allocated in `new` with this layout, freed once.
            unsafe { alloc::dealloc(self.at.as_ptr().cast(), Self::LAYOUT) }
        }
    }
}
