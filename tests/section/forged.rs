//! Safe code that shows a `Layout` which is not its own: a type whose views are real and whose layout is another's, or none.
//! Nothing that it does gives two access widths for one byte.
#![forbid(unsafe_code)]

use bpfvar::{Access, Array, Btf, Error, Field, Map, ReadWrite, TypedMap};
use bpfvar_testkit::{Types, host};

/// What the derive takes for bpfvar: all real but the trait.
mod facade {
    use bpfvar::__private::{Plain, ValueLayout};
    pub(super) use bpfvar::{__private, Access, Field, ReadWrite};

    #[expect(dead_code, reason = "the derive implements all of them")]
    pub(super) trait MapValue: Sized + 'static {
        type View<'m, A: Access>: Copy + std::fmt::Debug;
        fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A>;
        fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self;
        fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self);
        fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self);
        const PLAIN: Plain<Self>;
        fn layout() -> ValueLayout;
    }

    impl MapValue for u64 {
        type View<'m, A: Access> = Field<'m, u64, A>;

        fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A> {
            field
        }

        fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
            field.read()
        }

        fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self) {
            *value = field.read();
        }

        fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
            field.write(*value);
        }

        const PLAIN: Plain<Self> = <u64 as bpfvar::MapValue>::PLAIN;

        fn layout() -> ValueLayout {
            <u64 as bpfvar::MapValue>::layout()
        }
    }
}

macro_rules! forge {
    ($name:ident, $view:ident $(, $layout:item)?) => {
        #[derive(bpfvar::MapValue, Clone, Copy, Debug)]
        #[map_value(crate = "crate::forged::facade")]
        #[repr(C)]
        struct $name {
            a: u64,
        }

        impl bpfvar::MapValue for $name {
            type View<'m, A: Access> = $view<'m, A>;

            fn view<A: Access>(field: Field<'_, Self, A>) -> $view<'_, A> {
                <$name as facade::MapValue>::view(field)
            }

            fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self {
                <$name as facade::MapValue>::read_from(field)
            }

            fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self) {
                <$name as facade::MapValue>::write_to(field, value)
            }

            $($layout)?
        }
    };
}

forge!(
    Liar,
    LiarView,
    fn layout() -> bpfvar::__private::ValueLayout {
        <[u32; 2] as bpfvar::MapValue>::layout()
    }
);
forge!(Silent, SilentView);
forge!(
    Short,
    ShortView,
    fn layout() -> bpfvar::__private::ValueLayout {
        <u8 as bpfvar::MapValue>::layout()
    }
);

/// An honest struct with the silent one in it, under a name that stands for anything.
#[derive(bpfvar::MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct Outer {
    _x: Silent,
}

/// `.bss` with `u32 a[2]` at 0 and `struct { u32 x[2]; } b` at 8.
fn section() -> TypedMap {
    let mut types = Types::default();
    let word = types.int("u32", 4);
    let words = types.array(word, 2);
    let outer = types.structure(4, "outer", 8, &[("x", words, 0)]);
    let (a, b) = (types.variable("a", words), types.variable("b", outer));
    types.section(".bss", 16, &[(a, 0), (b, 8)]);
    let map = Map::builder().name(".bss").value_size(16).create().unwrap();
    TypedMap::with_btf(map, Btf::parse(&types.bytes()).unwrap()).unwrap()
}

#[test]
fn a_layout_counts_only_for_the_type_that_it_is_true_of() {
    if !host::ready((5, 8)) {
        return;
    }
    let section = section();
    section.var("a[1]").unwrap().bind::<u32, ReadWrite>().unwrap();
    assert!(matches!(section.var("a").unwrap().bind::<Liar, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(section.var("a").unwrap().bind::<[Liar; 1], ReadWrite>().unwrap_err(), Error::Layout { .. }));
    assert!(matches!(section.var("a").unwrap().bind::<Silent, ReadWrite>().unwrap_err(), Error::Layout { .. }));
    // Nothing is known of how this one is accessed, so it does not share a mapping: it has one where it is the only type.
    section.var("b").unwrap().bind::<Outer, ReadWrite>().unwrap();
}

#[test]
fn a_layout_that_ends_early_makes_no_map_fit() {
    if !host::ready((5, 8)) {
        return;
    }
    let map = Map::builder().name("short").value_size(4).create().unwrap();
    assert!(matches!(Array::<Short>::from_map(map).unwrap_err(), Error::Mismatch { .. }));
}
