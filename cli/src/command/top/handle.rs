//! Scalars that are read again and again: by a handle, which is one load from mapped memory.

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{ReadOnly, Shared, Value, Var};

macro_rules! handles {
    ($($name:ident: $type:ty => $kind:ident, $size:literal;)*) => {
        /// A handle to a scalar.
        #[derive(Debug)]
        pub(super) enum Handle {
            $($name(Shared<$type, ReadOnly>)),*
        }

        impl Handle {
            /// To a variable that has this value. None for what a load alone does not read: what changes together, enums,
            /// bitfields, what cannot be mapped.
            pub(super) fn of(var: &Var, value: &Value) -> Option<Handle> {
                match (value, var.size()) {
                    $((Value::$kind(_), $size) if var.together().is_empty() => var.bind().ok().map(Handle::$name),)*
                    _ => None,
                }
            }

            pub(super) fn read(&self) -> Value {
                match self {
                    $(Handle::$name(handle) => handle.load(Relaxed).into(),)*
                }
            }
        }
    };
}

handles! {
    U8: u8 => Uint, 1;
    U16: u16 => Uint, 2;
    U32: u32 => Uint, 4;
    U64: u64 => Uint, 8;
    I8: i8 => Int, 1;
    I16: i16 => Int, 2;
    I32: i32 => Int, 4;
    I64: i64 => Int, 8;
    F32: f32 => F32, 4;
    F64: f64 => F64, 8;
    Bool: bool => Bool, 1;
}

#[cfg(test)]
mod tests {
    use bpfvar::Globals;
    use bpfvar_objects::{Source, load};
    use bpfvar_testkit::host;

    use super::*;

    /// Every scalar of every kind that a handle reads, it reads as the library does by BTF.
    #[test]
    fn a_handle_reads_what_the_library_reads() {
        fn check(var: &Var, read: &mut u32) {
            let parts = var.members().into_iter().map(|name| format!(".{name}"));
            let elements = (0..var.indices().unwrap_or_default().end.min(5)).map(|index| format!("[{index}]"));
            parts.chain(elements).for_each(|step| check(&var.at(&step).unwrap(), read));
            let value = var.read().unwrap();
            if let Some(handle) = Handle::of(var, &value) {
                assert_eq!(handle.read(), value, "{var}");
                *read += 1;
            }
        }
        if !host::ready(Source::Kinds.needs()) {
            return;
        }
        let loaded = load(Source::Kinds);
        let globals = Globals::by_id(loaded.programs[0].id()).unwrap();
        let mut read = 0;
        globals.vars().for_each(|var| check(&var, &mut read));
        assert!(read > 60, "{read}");
        let handle = |path: &str| {
            let var = globals.var(path).unwrap();
            Handle::of(&var, &var.read().unwrap())
        };
        for path in ["u64_value", "s8_value", "bool_value", "float_value", "double_value", "nested.inner.y"] {
            assert!(handle(path).is_some(), "{path}");
        }
        for path in ["color_value", "bits_value.three", "node_pointer", "text", "u128_value"] {
            assert!(handle(path).is_none(), "{path}");
        }
    }
}
