//! A forged `Field` gets no safe function that takes any pointer for the address of the struct.

mod forged {
    pub use bpfvar::{Access, MapValue, ReadWrite, __private};

    pub struct Field<'m, T, A>(std::marker::PhantomData<(&'m T, A)>);

    impl<'m, T, A> Clone for Field<'m, T, A> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl<'m, T, A> Copy for Field<'m, T, A> {}

    impl<'m, T, A> Field<'m, T, A> {
        pub unsafe fn project<F>(self, place: impl Fn(*mut T) -> *mut F) -> bpfvar::Field<'m, F, A> {
            place(std::ptr::null_mut());
            unimplemented!()
        }
    }
}

#[derive(bpfvar::MapValue)]
#[map_value(crate = "forged")]
#[repr(C)]
struct Value {
    first: u64,
    second: u64,
}

fn main() {}
