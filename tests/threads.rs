//! Several threads on the same bytes: what ThreadSanitizer is to look at.
//!
//! A program without the test harness, whose channels are part of the standard library and so not instrumented: the
//! sanitizer would report races in them. For the same reason every thread is joined by its handle.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread;

use bpfvar::{Array, MapValue, Zerocopy};

#[derive(MapValue, Clone, Copy, Debug, PartialEq)]
#[repr(C)]
struct Message {
    ready: u32,
    flag: bool,
    text: [u8; 11],
    number: f64,
}

fn main() {
    whole_values_are_read_while_they_are_written();
    release_and_acquire_hand_plain_data_over();
    increments_from_all_threads_add_up();
    println!("\ntest result: ok. 3 passed; 0 failed");
}

/// Runs all of `work` at the same time, to its end.
fn together(work: &[&(dyn Fn() + Sync)]) {
    thread::scope(|scope| {
        let threads: Vec<_> = work.iter().map(|work| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("the thread holds"));
    });
}

fn whole_values_are_read_while_they_are_written() {
    let array = Array::<Message>::in_process(2);
    let whole = Array::<Zerocopy<[u8; 23]>>::in_process(2);
    let write = |number: u8| {
        for round in 0..200_u8 {
            let message =
                Message { ready: round.into(), flag: round % 2 == 0, text: [number; 11], number: round.into() };
            array.write(1, message);
            array.fill(message);
            whole.write(1, Zerocopy([round; 23]));
            std::hint::black_box((array.snapshot(), whole.snapshot()));
        }
    };
    together(&[&|| write(0), &|| write(1)]);
    assert!(array.read(1).text.iter().all(|&byte| byte < 2));
    assert_eq!(whole.read(1).0, [199; 23]);
}

fn release_and_acquire_hand_plain_data_over() {
    const ROUNDS: u32 = 1_000;
    let array = Array::<Message>::in_process(1);
    let reader = array.read_only().expect("an array in the process has readers");
    let send = || {
        let message = array.at(0);
        for round in 1..=ROUNDS {
            message.number.store(round.into(), Relaxed);
            message.ready.store(round, Release);
        }
    };
    let receive = || {
        let message = reader.at(0);
        let mut ready = 0;
        while ready < ROUNDS {
            ready = message.ready.load(Acquire);
            assert!(message.number.load(Relaxed) >= ready.into(), "what was stored before is seen");
            thread::yield_now();
        }
    };
    together(&[&send, &receive]);
}

fn increments_from_all_threads_add_up() {
    let array = Array::<[u8; 3]>::in_process(1);
    let count = |element: usize| {
        for _ in 0..100 {
            array.at(0).at(element).fetch_add(1, Relaxed);
        }
    };
    together(&[&|| count(0), &|| count(1), &|| count(2), &|| count(0)]);
    assert_eq!(array.read(0), [200, 100, 100]);
}
