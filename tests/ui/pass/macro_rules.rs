//! Structs that a macro makes: some names are the caller's, some the macro's, and types come in invisible parentheses.

use bpfvar::{Array, MapValue};

macro_rules! stats {
    ($(#[$attribute:meta])* $vis:vis $name:ident, $view:literal { $($field:ident: $ty:ty),*; $last:ty }) => {
        $(#[$attribute])*
        #[derive(MapValue)]
        #[map_value(view = $view)]
        #[repr(C)]
        $vis struct $name {
            first: u64,
            $($field: $ty,)*
            last: [[$last; 2]; 2],
        }
    };
    (tuple $name:ident($($ty:ty),*)) => {
        #[derive(MapValue)]
        #[repr(C)]
        struct $name($($ty,)* u64);
    };
    (generic $name:ident<$parameter:ident>, $n:expr) => {
        #[derive(MapValue)]
        #[repr(C)]
        struct $name<$parameter> {
            values: [$parameter; $n],
        }
    };
}

type Word = u64;

stats!(pub(crate) Stats, "Look" { packets: Word, sizes: [u32; 2], pair: Pair<crate::Word>; u8 });
stats!(tuple Tuple(Stats, [Word; 2]));
stats!(generic Pair<T>, 1 + 1);

fn main() {
    let array = Array::<Tuple>::in_process(1);
    let look: Look<'_> = array.at(0).0;
    look.first.write(1);
    look.packets.write(2);
    look.sizes.at(1).write(3);
    look.pair.values.at(1).write(4);
    let Tuple(stats, ..) = array.read(0);
    assert_eq!((stats.first, stats.packets), (1, 2));
    assert_eq!((stats.sizes, stats.pair.values), ([0, 3], [0, 4]));
}
