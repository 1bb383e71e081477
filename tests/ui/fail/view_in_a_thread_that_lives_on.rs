//! Views may go to other threads, as long as their array waits for them.

use bpfvar::Array;

fn main() {
    let array = Array::<u64>::in_process(1);
    let view = array.at(0);
    std::thread::scope(|scope| {
        scope.spawn(move || view.read());
    });
    std::thread::spawn(move || view.read());
}
