//! What programs do meanwhile is kept.

use std::io::{self, Read};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use bpfvar_objects::Source;
use bpfvar_testkit::{Program, host};

use crate::support::{load, ok, program, text};

/// Runs the program in a process of its own until standard input ends: where children die, their signals would break off the
/// kernel's test runs, and nobody knew how many there were.
fn run_at_full_speed(pin: &str) {
    let program = Program::from_pin(pin.as_ref()).unwrap();
    let done = AtomicBool::new(false);
    let runs = thread::scope(|scope| {
        let runner = scope.spawn(|| {
            let mut runs = 0_u64;
            while !done.load(Ordering::Relaxed) {
                program.run(1000);
                runs += 1000;
            }
            runs
        });
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        done.store(true, Ordering::Relaxed);
        runner.join().unwrap()
    });
    println!("\nruns={runs}");
}

/// 10,000 values written beside a variable that a program increments at full speed.
#[test]
fn no_increment_is_lost_beside_ten_thousand_sets() {
    const PROCESSES: usize = 100;
    const SETS: usize = 100;
    if let Some(pin) = host::argument() {
        return run_at_full_speed(&pin);
    }
    let Some(loaded) = load(Source::Count) else { return };
    let bpffs = host::Bpffs::mount();
    let pin = bpffs.path("count");
    loaded.programs[0].program.pin(&pin);
    let mut runner =
        host::this_test_command(pin.to_str().unwrap()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let p = program(&loaded);
    let packets = || ok(&["get", "-q", &format!("{p}.packets")]);
    host::eventually(|| packets() != "0\n");
    for process in 0..PROCESSES {
        let mut args = vec!["set".to_owned(), "-q".to_owned()];
        args.push(format!("{p}.neighbour={}", process * SETS));
        args.push(format!("{p}.knob={process}"));
        // One value each in a command, and as many steps as one likes.
        for _ in 1..SETS / 2 {
            args.push(format!("{p}.neighbour+=1"));
            args.push(format!("{p}.knob^=1"));
        }
        ok(&args);
    }
    drop(runner.stdin.take());
    let output = runner.wait_with_output().unwrap();
    let printed = text(&output.stdout);
    let runs = printed.lines().find_map(|line| line.strip_prefix("runs=")).unwrap_or_else(|| panic!("{output:?}"));
    assert_eq!(packets().trim_end(), runs);
    assert_eq!(ok(&["get", "-q", &format!("{p}.neighbour"), &format!("{p}.knob")]), "9949\n98\n");
}
