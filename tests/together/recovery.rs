//! Writers that are cut short or killed beside others that are alive: what is made good, and what is never lost. Programs are
//! threads here, which take the steps of `bpfvar.bpf.h` in a mapping of their own, so that they can stop between any two.

use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::thread;
use std::time::Duration;

use bpfvar::{Array, Change, Error, Input, Seq, TypedMap};
use bpfvar_testkit::host;

/// The steps of a program.
struct Steps(Array<[u64; 5]>);

impl Steps {
    /// `bpfvar_seq_begin`: whether it got in.
    fn begin(&self, entry: usize) -> bool {
        let words = self.0.at(entry);
        words.at(0).fetch_add(1, SeqCst);
        let end = words.at(1).load(SeqCst);
        let inside = words.at(0).load(SeqCst) - end == 1;
        if !inside {
            words.at(1).fetch_add(1, SeqCst);
        }
        inside
    }

    fn store(&self, entry: usize, word: usize, value: u64) {
        self.0.at(entry).at(3 + word).store(value, Relaxed);
    }

    fn load(&self, entry: usize, word: usize) -> u64 {
        self.0.at(entry).at(3 + word).load(Relaxed)
    }

    /// `bpfvar_seq_end`.
    fn end(&self, entry: usize) {
        self.0.at(entry).at(1).fetch_add(1, SeqCst);
    }

    /// Writers that came less those that left, when nobody comes or goes.
    fn inside(&self, entry: usize) -> i64 {
        let [begin, end, ..] = self.0.read(entry);
        begin.wrapping_sub(end) as i64
    }
}

type Values = Array<Seq<[u64; 2]>>;

/// Three values, and a program that writes them.
fn values() -> Option<(Values, Steps, TypedMap)> {
    if !host::ready((5, 8)) {
        return None;
    }
    let values = Array::<Seq<[u64; 2]>>::builder().name("values").entries(3).create().unwrap();
    let map = || values.map().unwrap().try_clone().unwrap();
    let (steps, typed) = (Steps(Array::from_map(map()).unwrap()), TypedMap::open(map()).unwrap());
    Some((values, steps, typed))
}

fn pair(number: u64) -> Input {
    Input::Array(vec![number.into(), number.into()])
}

#[test]
fn a_program_that_is_inside_is_waited_for_and_not_taken_for_the_dead() {
    // The child: takes the lock, and is killed with it in its hands, but not inside.
    if let Some(id) = host::argument() {
        let values = Array::<Seq<[u64; 2]>>::from_id(id.parse().unwrap()).unwrap();
        let _ = values.at(0).update(|_| thread::sleep(Duration::from_secs(60)));
        return;
    }
    let Some((values, program, _)) = values() else { return };
    let id = values.map().unwrap().info().id.to_string();
    let mut child = host::this_test_command(&id).stdout(Stdio::null()).spawn().unwrap();
    host::eventually(|| program.0.read(0)[2] != 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(program.0.read(0)[2], 0, "the lock is a dead thread's");
    assert!(program.begin(0));
    program.store(0, 0, 7);
    thread::scope(|scope| {
        let write = scope.spawn(|| values.at(0).write([1, 1]));
        thread::sleep(Duration::from_millis(20));
        program.store(0, 1, 7);
        assert!(!write.is_finished(), "it waits for the program");
        program.end(0);
        write.join().unwrap().unwrap();
    });
    assert_eq!(values.at(0).read(), Ok([1, 1]));
    assert_eq!(program.inside(0), 0);
    assert!(program.begin(0), "the next one gets in");
    program.end(0);
}

#[test]
fn what_was_cut_short_is_made_good_while_programs_come() {
    let Some((_values, program, typed)) = values() else { return };
    let var = typed.var("values[0]").unwrap();
    for pause in [100, 5000] {
        assert!(program.begin(0), "and never leaves");
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    if program.begin(0) {
                        program.end(0);
                    }
                    thread::sleep(Duration::from_micros(pause));
                }
            });
            let set = var.set(pair(5));
            done.store(true, Relaxed);
            set.unwrap();
        });
        assert_eq!((program.inside(0), var.read().unwrap().to_string()), (0, "[5, 5]".to_owned()));
    }
}

/// Programs that are refused come and leave all the time: they are not counted for those that never leave.
#[test]
fn no_writer_is_made_good_twice() {
    let Some((values, program, _)) = values() else { return };
    for _ in 0..10 {
        program.0.at(0).at(0).fetch_add(1, SeqCst);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Relaxed) {
                        if program.begin(0) {
                            program.end(0);
                        }
                    }
                });
            }
            let write = values.at(0).write([1, 1]);
            done.store(true, Relaxed);
            assert!(matches!(write, Ok(()) | Err(Error::Busy { .. })), "{write:?}");
        });
        if program.inside(0) != 0 {
            values.at(0).write([2, 2]).unwrap();
        }
        assert_eq!(program.inside(0), 0);
    }
}

/// So many come and go that somebody is inside at nearly every look: they are not taken for the dead.
#[test]
fn a_crowd_is_not_taken_for_writers_that_never_leave() {
    let Some((values, program, _)) = values() else { return };
    let done = AtomicBool::new(false);
    let (written, torn) = thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut number = 1;
                while !done.load(Relaxed) {
                    if program.begin(0) {
                        number = program.load(0, 0) + 1;
                        program.store(0, 0, number);
                        program.store(0, 1, number);
                        program.end(0);
                    }
                }
                number
            });
        }
        let reader = scope.spawn(|| {
            let mut torn = 0;
            while !done.load(Relaxed) {
                torn += u64::from(values.at(0).read().is_ok_and(|[first, second]| first != second));
            }
            torn
        });
        let written: Vec<_> = (0..3).map(|_| values.at(0).write([5, 5])).collect();
        done.store(true, Relaxed);
        (written, reader.join().unwrap())
    });
    assert!(written.iter().all(|written| matches!(written, Ok(()) | Err(Error::Busy { .. }))), "{written:?}");
    assert_eq!((torn, program.inside(0)), (0, 0));
}

#[test]
fn numbers_that_were_written_by_hand_are_made_good() {
    let Some((values, program, _)) = values() else { return };
    for (begin, end) in [(1, 0), (0, 1), (1, 1 << 40), (u64::MAX, 3)] {
        program.0.at(0).at(0).store(begin, SeqCst);
        program.0.at(0).at(1).store(end, SeqCst);
        assert!(values.at(0).read().is_err());
        values.at(0).write([begin, end]).unwrap();
        assert_eq!(values.at(0).read(), Ok([begin, end]));
        assert_eq!(program.inside(0), 0);
    }
}

#[test]
fn nothing_that_a_program_adds_is_lost() {
    let Some((values, program, typed)) = values() else { return };
    let var = typed.var("values[0][0]").unwrap();
    let done = AtomicBool::new(false);
    let (added, mine) = thread::scope(|scope| {
        let program = scope.spawn(|| {
            let mut added = 0;
            while !done.load(Relaxed) {
                if program.begin(0) {
                    program.store(0, 0, program.load(0, 0) + 1);
                    program.end(0);
                    added += 1;
                }
                (0..1000).for_each(|_| std::hint::spin_loop());
            }
            added
        });
        let mut mine = 0;
        for _ in 0..5000 {
            mine += u64::from(var.add(1).is_ok());
            mine += u64::from(values.at(0).update(|value| value[0] += 1).is_ok());
        }
        done.store(true, Relaxed);
        (program.join().unwrap(), mine)
    });
    assert!(added > 0 && mine > 0);
    assert_eq!(program.load(0, 0), added + mine);
}

#[test]
fn several_entries_are_changed_all_or_none() {
    let Some((values, program, typed)) = values() else { return };
    let all = typed.var("values").unwrap();
    let change = |number| all.change(Input::Array(vec![pair(number), pair(number), pair(number)])).unwrap();
    Change::apply_all([change(1)]).unwrap();
    // The lock of the last entry is held by a thread that lives.
    let held = values.at(2).update(|_| {
        let error = Change::apply_all([change(2)]).unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    });
    held.unwrap();
    assert_eq!(values.snapshot().into_iter().map(Seq::get).collect::<Vec<_>>(), [Ok([1, 1]); 3]);
    assert_eq!(program.inside(0), 0);
}
