//! A view is as visible as its struct, from wherever that is. Its fields may have types that are less so.
#![deny(warnings)]

mod outer {
    pub mod inner {
        use bpfvar::MapValue;

        #[derive(MapValue)]
        #[repr(C)]
        struct Private(u64);

        #[derive(MapValue)]
        #[repr(C)]
        pub(super) struct Super {
            private: Private,
            number: u64,
        }

        #[derive(MapValue)]
        #[repr(C)]
        pub(in crate::outer) struct InOuter(Super, [Private; 2]);

        #[derive(MapValue)]
        #[repr(C)]
        pub(crate) struct Crate<T> {
            in_outer: InOuter,
            parameter: T,
        }

        #[derive(MapValue)]
        #[repr(C)]
        pub struct Public {
            generic: Crate<Private>,
            krate: Crate<u8>,
        }
    }

    pub fn count(array: &bpfvar::Array<inner::Public>) -> u64 {
        let krate: inner::CrateView<'_, u8> = array.at(0).krate;
        let in_outer: inner::InOuterView<'_> = krate.in_outer;
        let parent: inner::SuperView<'_> = in_outer.0;
        parent.number.write(2);
        parent.write(parent.read());
        parent.number.read()
    }
}

fn main() {
    let array = bpfvar::Array::<outer::inner::Public>::in_process(1);
    let view: outer::inner::PublicView<'_> = array.at(0);
    let krate: outer::inner::CrateView<'_, u8> = view.krate;
    krate.parameter.write(1);
    view.write(view.read());
    assert_eq!(krate.parameter.read(), 1);
    assert_eq!(outer::count(&array), 2);
}
