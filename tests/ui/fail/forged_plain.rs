//! A crate that the derive takes for bpfvar, and whose `Plain` says of each struct what is true of its fields about another type.

use bpfvar::{Access, Field, MapValue, ReadWrite};

struct Evil(bool);

impl MapValue for Evil {
    type View<'m, A: Access> = ();

    fn view<A: Access>(_field: Field<'_, Self, A>) {}

    fn read_from<A: Access>(_field: Field<'_, Self, A>) -> Self {
        Evil(true)
    }

    fn write_to(_field: Field<'_, Self, ReadWrite>, _value: &Self) {}

    const PLAIN: bpfvar::__private::Plain<Self> = <Bait as facade::MapValue>::PLAIN;
}

mod facade {
    pub use bpfvar::{Access, Field, ReadWrite};

    pub mod __private {
        pub use bpfvar::__private::{PlainStruct, ValueLayout};
        pub type Plain<T> = bpfvar::__private::Plain<<T as super::Swap>::Other>;
    }

    pub trait Swap {
        type Other: bpfvar::MapValue;
    }

    pub trait MapValue: Sized + Swap + 'static {
        const PLAIN: __private::Plain<Self>;
        type View<'m, A: Access>: Copy;
        fn view<A: Access>(field: Field<'_, Self, A>) -> Self::View<'_, A>;
        fn read_from<A: Access>(field: Field<'_, Self, A>) -> Self;
        fn read_into<A: Access>(field: Field<'_, Self, A>, value: &mut Self);
        fn write_to(field: Field<'_, Self, ReadWrite>, value: &Self);
        fn layout() -> __private::ValueLayout;
    }

    impl Swap for u8 {
        type Other = u8;
    }

    impl MapValue for u8 {
        const PLAIN: __private::Plain<Self> = <u8 as bpfvar::MapValue>::PLAIN;
        type View<'m, A: Access> = Field<'m, u8, A>;

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

        fn layout() -> __private::ValueLayout {
            <u8 as bpfvar::MapValue>::layout()
        }
    }
}

#[derive(bpfvar::MapValue)]
#[map_value(crate = "facade")]
#[repr(C)]
struct Bait {
    byte: u8,
}

impl MapValue for Bait {
    type View<'m, A: Access> = ();

    fn view<A: Access>(_field: Field<'_, Self, A>) {}

    fn read_from<A: Access>(_field: Field<'_, Self, A>) -> Self {
        Bait { byte: 2 }
    }

    fn write_to(_field: Field<'_, Self, ReadWrite>, _value: &Self) {}
}

impl facade::Swap for Bait {
    type Other = Evil;
}

fn main() {}
