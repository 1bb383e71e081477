use bpfvar::{Array, Checked, MapValue, Repr};

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line {
    packets: u64,
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(transparent)]
struct Ip(u32);

#[derive(Repr, Clone, Copy, Debug, PartialEq)]
#[repr(i8)]
enum Sign {
    Minus = -1,
    Zero,
    Plus,
}

#[derive(MapValue, Clone, Copy, Debug)]
#[repr(C)]
struct All {
    line: Line,
    ip: Ip,
    sign: Checked<Sign>,
}

fn main() {
    let all = Array::<All>::in_process(2);
    assert_eq!(size_of::<All>(), 128);
    let view = all.at(1);
    view.ip.0.store(7, std::sync::atomic::Ordering::Relaxed);
    view.sign.write(Sign::Minus.into());
    assert_eq!(view.field().read().sign, Sign::Minus);
    assert_eq!((view.sign.read().scalar(), view.read().ip.0), (-1, 7));
    assert_eq!(view.line.field().read().packets, 0);
}
