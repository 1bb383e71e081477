//! How far types are aligned. BTF does not say it: it has offsets and sizes, from which follows how far a type can be aligned
//! at most.

use std::collections::HashMap;

use bpfvar::btf::{Kind, Type};

/// A map starts on a page, of which the smallest has so many bytes.
pub(crate) const MAX: u64 = 4096;

/// The largest power of two of which the number is a multiple, up to [`MAX`].
pub(crate) fn alignment(number: u64) -> u64 {
    if number == 0 { MAX } else { MAX.min(1 << number.trailing_zeros().min(12)) }
}

/// For each struct the largest alignment that all places allow where it lies.
#[derive(Default)]
pub(crate) struct Limits<'b>(HashMap<Type<'b>, u64>);

impl<'b> Limits<'b> {
    pub(crate) fn of(&self, ty: Type<'b>) -> u64 {
        self.0.get(&ty.resolve()).copied().unwrap_or(MAX)
    }

    /// Something of the type lies at a multiple of `at`.
    pub(crate) fn add(&mut self, ty: Type<'b>, at: u64) {
        let (ty, size) = (ty.resolve(), ty.size().unwrap_or(0));
        match ty.kind() {
            Kind::Array { element, .. } => self.add(element, at.min(alignment(element.size().unwrap_or(0)))),
            Kind::PerCpu(value) => self.add(value, at),
            Kind::Seq(value) | Kind::Switch(value) => {
                // Behind three words; further behind only where the value asks for it.
                let is_near = size == (24 + value.size().unwrap_or(0)).next_multiple_of(8);
                self.add(value, if is_near { at.min(8) } else { at });
            }
            Kind::Struct | Kind::Union => {
                let at = at.min(alignment(size));
                // Every time but the first it goes down, so this ends.
                if self.0.get(&ty).is_some_and(|known| *known <= at) {
                    return;
                }
                self.0.insert(ty, at);
                for member in ty.members().filter(|member| member.bits.is_none()) {
                    self.add(member.ty, at.min(alignment(member.offset)));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_up_to_a_page() {
        let numbers = [0, 1, 6, 64, 4096, 3 << 40];
        assert_eq!(numbers.map(alignment), [4096, 1, 2, 64, 4096, 4096]);
    }
}
