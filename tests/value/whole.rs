//! Other people's types.

use bpfvar::{Array, Bytemuck, MapValue, Zerocopy};
use zerocopy::{FromBytes, Immutable, IntoBytes};

#[test]
fn every_length_comes_back_and_leaves_its_neighbours_alone() {
    macro_rules! check {
        ($($len:literal)*) => {$({
            let array = Array::<Zerocopy<[u8; $len]>>::in_process(3);
            let bytes: [u8; $len] = std::array::from_fn(|index| index as u8 + 1);
            array.write(1, Zerocopy(bytes));
            assert_eq!(array.snapshot(), [Zerocopy([0; $len]), Zerocopy(bytes), Zerocopy([0; $len])]);
        })*};
    }
    check!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 23 31 64 127);
}

#[test]
fn they_work_at_every_alignment_inside_a_struct() {
    #[derive(MapValue, Clone, Copy, Debug, PartialEq)]
    #[repr(C)]
    struct Around {
        before: u8,
        five: Zerocopy<[u8; 5]>,
        between: u8,
        nine: Bytemuck<[u8; 9]>,
        twelve: Zerocopy<[u32; 3]>,
        after: u8,
    }
    let array = Array::<Around>::in_process(2);
    let value = Around {
        before: 1,
        five: Zerocopy([2; 5]),
        between: 3,
        nine: Bytemuck([4; 9]),
        twelve: Zerocopy([5, 6, 7]),
        after: 8,
    };
    array.write(1, value);
    assert_eq!(array.read(1), value);
    let view = array.at(1);
    view.nine.write(Bytemuck([9; 9]));
    assert_eq!(array.read(1), Around { nine: Bytemuck([9; 9]), ..value });
    assert_eq!(format!("{:?}", view.five), "[2, 2, 2, 2, 2]");
    assert_eq!(format!("{:?}", view.nine), "[9, 9, 9, 9, 9, 9, 9, 9, 9]");
}

#[test]
fn types_that_are_not_copy_are_values_too() {
    #[derive(FromBytes, IntoBytes, Immutable, Debug, PartialEq)]
    #[repr(C)]
    struct Key {
        port: u16,
        mac: [u8; 6],
    }
    let array = Array::<Zerocopy<Key>>::in_process(1);
    array.at(0).write(Zerocopy(Key { port: 443, mac: [1; 6] }));
    assert_eq!(array.at(0).read().0, Key { port: 443, mac: [1; 6] });
}
