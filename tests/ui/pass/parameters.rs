//! Types and constants as parameters, called as the library's own and the derive's own are.

use bpfvar::{Array, MapValue, ReadOnly};

#[derive(MapValue)]
#[repr(C)]
struct Pair<A, M = A> {
    a: A,
    m: M,
}

#[derive(MapValue)]
#[repr(C)]
struct Bounded<T: Copy + 'static = u64, const N: usize = 4>
where
    T: PartialEq + 'static,
    [T; N]: Sized,
{
    values: [T; N],
    pairs: [Pair<T, u8>; 2],
}

/// With a where clause behind the fields.
#[derive(MapValue)]
#[repr(C)]
struct Tuple<S>(S, [S; 2])
where
    S: Clone + 'static;

/// A constant of each type that one may have.
#[derive(MapValue)]
#[repr(C)]
struct Constants<const N: usize, const FLAG: bool, const LETTER: char> {
    first: [u8; N],
}

/// Views can be named and passed on.
fn bump<T: MapValue>(pair: PairView<'_, u64, T>) -> u64 {
    pair.a.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn read<A: bpfvar::Access>(pair: PairView<'_, u64, u64, A>) -> u64 {
    pair.a.read()
}

fn main() {
    let array = Array::<Pair<u64>>::in_process(1);
    let shared: Array<Pair<u64>, ReadOnly> = array.read_only().unwrap();
    bump(array.at(0));
    assert_eq!(read(array.at(0)), 1);
    assert_eq!(read(shared.at(0)), 1);

    let array = Array::<Bounded>::in_process(1);
    array.at(0).values.at(3).write(2);
    array.at(0).pairs.at(1).m.write(3);
    let Bounded { values, pairs } = array.read(0);
    assert_eq!(values, [0, 0, 0, 2]);
    assert_eq!((pairs[1].a, pairs[1].m), (0, 3));

    let array = Array::<Tuple<f64>>::in_process(1);
    array.write(0, Tuple(0.5, [1.0, 1.5]));
    assert_eq!(array.at(0).1.at(1).read(), 1.5);

    let array = Array::<Constants<3, true, 'x'>>::in_process(1);
    array.at(0).first.at(2).write(4);
    assert_eq!(array.read(0).first, [0, 0, 4]);
}
