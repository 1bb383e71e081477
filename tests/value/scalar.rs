//! One scalar: every operation on every type.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use bpfvar::{Array, Field, Integer, ReadWrite, Scalar};

fn holds<S: Scalar>(field: Field<'_, S, ReadWrite>, [a, b, c]: [S; 3]) {
    field.store(a, Relaxed);
    assert_eq!(field.load(Relaxed), a);
    field.store(b, Release);
    assert_eq!(field.load(Acquire), b);
    field.store(c, SeqCst);
    assert_eq!(field.load(SeqCst), c);
    assert_eq!(field.swap(a, AcqRel), c);
    assert_eq!(field.compare_exchange(b, c, AcqRel, Acquire), Err(a));
    assert_eq!(field.read(), a, "a failed exchange changes nothing");
    assert_eq!(field.compare_exchange(a, b, SeqCst, Relaxed), Ok(a));
    assert_eq!(field.fetch_update(AcqRel, Acquire, |_| None), Err(b));
    assert_eq!(field.fetch_update(AcqRel, Acquire, |seen| (seen == b).then_some(c)), Ok(b));
    field.write(field.read());
    assert_eq!(format!("{field:?}"), format!("{c:?}"));
}

#[test]
fn every_scalar_is_loaded_stored_and_exchanged() {
    macro_rules! check {
        ($($scalar:ty: $a:expr, $b:expr, $c:expr;)*) => {$(
            let array = Array::<[$scalar; 3]>::in_process(2);
            holds(array.at(1).at(1), [$a, $b, $c]);
            let expected: [[$scalar; 3]; 2] = [Default::default(), [Default::default(), $c, Default::default()]];
            assert_eq!(array.snapshot(), expected, "neighbours are untouched");
        )*};
    }
    check! {
        u8: 1, 0, u8::MAX;
        u16: 1, 0, u16::MAX;
        u32: 1, 0, u32::MAX;
        u64: 1, 0, u64::MAX;
        i8: -1, i8::MIN, i8::MAX;
        i16: -1, i16::MIN, i16::MAX;
        i32: -1, i32::MIN, i32::MAX;
        i64: -1, i64::MIN, i64::MAX;
        f32: -0.5, f32::INFINITY, f32::MIN_POSITIVE;
        f64: -0.5, f64::INFINITY, f64::MIN_POSITIVE;
    }
    let array = Array::<bool>::in_process(1);
    let on = array.at(0);
    on.store(true, Relaxed);
    assert!(on.swap(false, AcqRel));
    assert_eq!(on.compare_exchange(true, true, AcqRel, Relaxed), Err(false));
    assert_eq!(on.compare_exchange(false, true, AcqRel, Relaxed), Ok(false));
    assert_eq!(on.fetch_update(Relaxed, Relaxed, |on| Some(!on)), Ok(true));
    assert!(!on.read());
}

#[test]
fn integers_are_changed_in_place_and_wrap() {
    fn check<I: Integer>(field: Field<'_, I, ReadWrite>, values: [I; 4], expected: [I; 8]) {
        let [start, operand, small, large] = values;
        field.store(start, Relaxed);
        let seen = [
            field.fetch_add(operand, Relaxed),
            field.fetch_sub(operand, Relaxed),
            field.fetch_and(operand, Relaxed),
            field.fetch_or(start, Relaxed),
            field.fetch_xor(operand, Relaxed),
            field.fetch_min(small, Relaxed),
            field.fetch_max(large, Relaxed),
            field.load(Relaxed),
        ];
        assert_eq!(seen, expected);
    }
    let unsigned = Array::<u8>::in_process(1);
    // 0xfc + 0x0a wraps to 0x06; 0xfc & 0x0a = 0x08; | 0xfc = 0xfc; ^ 0x0a = 0xf6; min 3, max 200.
    check(unsigned.at(0), [0xfc, 0x0a, 3, 200], [0xfc, 0x06, 0xfc, 0x08, 0xfc, 0xf6, 3, 200]);
    let signed = Array::<i16>::in_process(1);
    // -4 + 10 = 6; -4 & 10 = 8; | -4 = -4; ^ 10 = -10; min -300 (signed), max 7.
    check(signed.at(0), [-4, 10, -300, 7], [-4, 6, -4, 8, -4, -10, -300, 7]);
    let wide = Array::<u64>::in_process(1);
    check(wide.at(0), [u64::MAX, 1, 0, 5], [u64::MAX, 0, u64::MAX, 1, u64::MAX, u64::MAX - 1, 0, 5]);
    let least = Array::<i64>::in_process(1);
    check(
        least.at(0),
        [i64::MIN, -1, i64::MIN, 0],
        [i64::MIN, i64::MAX, i64::MIN, i64::MIN, i64::MIN, i64::MAX, i64::MIN, 0],
    );
}

#[test]
fn floats_are_exchanged_by_their_bits() {
    let array = Array::<f64>::in_process(1);
    let field = array.at(0);
    assert_eq!(field.compare_exchange(-0.0, 1.0, Relaxed, Relaxed), Err(0.0));
    field.store(f64::NAN, Relaxed);
    assert!(field.compare_exchange(f64::NAN, 2.0, Relaxed, Relaxed).is_ok_and(f64::is_nan));
    assert_eq!(field.read(), 2.0);
}

#[test]
fn a_field_is_an_atomic_of_the_standard_library() {
    fn count(counter: &std::sync::atomic::AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
    let array = Array::<u64>::in_process(2);
    count(array.at(1).as_atomic());
    array.range(..).iter().map(Field::as_atomic).for_each(count);
    assert_eq!(array.snapshot(), [1, 2]);
    let signed = Array::<i8>::in_process(1);
    let atomic: &std::sync::atomic::AtomicI8 = signed.at(0).as_atomic();
    atomic.store(-3, Relaxed);
    assert_eq!(signed.read(0), -3);
}

#[test]
#[should_panic(expected = "release load")]
fn a_release_load_of_read_only_memory_panics_as_an_atomic_does() {
    Array::<u64>::in_process(1).read_only().unwrap().at(0).load(Release);
}
