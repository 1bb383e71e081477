//! Structs of variables, bound in one step.

use std::sync::atomic::Ordering::Relaxed;

use bpfvar::{Array, Bind, Cause, Error, Follower, Globals, ReadOnly, Reload, Shared, TypedMap, Var};
use bpfvar_objects::{Source, load_named};
use bpfvar_testkit::host;

use crate::{Stats, loaded};

#[derive(Bind, Debug)]
struct Count {
    sampling: Shared<u32>,
    #[bind("config.limits[2].burst")]
    burst: Shared<u32>,
    version: Shared<u32, ReadOnly>,
    label: Var,
    #[bind(map = ".bss")]
    bss: TypedMap,
    debug: Option<Shared<bool>>,
    #[bind("config.verbose")]
    verbose: Option<Shared<bool>>,
    #[bind("config.enabled")]
    enabled: Option<Shared<bool>>,
    #[bind(map = "stats")]
    stats: Option<Array<Stats>>,
}

#[test]
fn a_struct_is_bound_field_by_field() {
    let Some((loaded, globals)) = loaded(Source::Count) else { return };
    let count = Count::bind(&globals).unwrap();
    count.sampling.store(2, Relaxed);
    loaded.run(4);
    assert_eq!(count.bss.var("hist[2]").unwrap().read().unwrap().as_i128(), Some(1), "every second run");
    assert_eq!((count.burst.load(Relaxed), count.version.load(Relaxed)), (30, 3));
    assert_eq!(count.label.read().unwrap().as_str(), Some("eth0"));
    assert!(count.enabled.unwrap().load(Relaxed));
    assert!(count.debug.is_none() && count.verbose.is_none() && count.stats.is_none());
}

#[test]
fn maps_and_starts_of_sections_are_bound_too() {
    #[derive(Bind)]
    struct Maps {
        #[bind(map = "stats")]
        stats: Array<Stats, ReadOnly>,
        #[bind("stats[1].packets")]
        packets: Shared<u64>,
    }
    let Some((loaded, globals)) = loaded(Source::Maps) else { return };
    loaded.run(2);
    let maps = Maps::bind(&globals).unwrap();
    assert_eq!((maps.stats.sum(|stats| stats.packets), maps.packets.load(Relaxed)), (8, 2));
}

#[test]
fn all_that_does_not_fit_is_in_one_error() {
    #[derive(Bind, Debug)]
    #[expect(dead_code, reason = "it is never made")]
    struct Wrong {
        sampling: Shared<i32>,
        packets: Shared<u64>,
        version: Shared<u32>,
        missing: Shared<u32>,
        /// There, but of another type: not absent.
        ratio: Option<Shared<u64>>,
        #[bind(map = "stats")]
        stats: Array<Stats>,
    }
    let Some((_loaded, globals)) = loaded(Source::Count) else { return };
    let error = Wrong::bind(&globals).unwrap_err();
    let Error::Bind { rust_type, faults, .. } = &error else { panic!("{error}") };
    assert_eq!(rust_type, "Wrong");
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["sampling", "version", "missing", "ratio", "stats"]);
    assert!(matches!(faults[0].error, Error::Layout { .. }));
    assert_eq!(faults[1].error.cause(), Some(Cause::Frozen));
    assert!(matches!(faults[2].error, Error::NotFound { .. }));
    let message = error.to_string();
    for part in [
        "Wrong cannot be bound to program \"count\"",
        "there is no variable \"missing\"; there are",
        "no map \"stats\"",
    ] {
        assert!(message.contains(part), "{part:?} in {message}");
    }
}

#[test]
fn a_program_that_is_loaded_anew_is_bound_anew() {
    #[derive(Bind)]
    struct Tail {
        first: Shared<u64>,
    }
    if !host::ready(Source::Tail.needs()) {
        return;
    }
    // Other tests load this object at the same time.
    let load = || load_named(Source::Tail, "followed");
    let first = load();
    let mut tail = Follower::<Tail>::by_name("followed").unwrap();
    tail.get().first.store(1, Relaxed);
    assert!(matches!(tail.poll().unwrap(), Reload::Unchanged));
    let id = tail.program().id;
    drop(first);
    host::eventually(|| matches!(tail.poll().unwrap(), Reload::Gone));
    assert_eq!(tail.get().first.load(Relaxed), 1, "the old memory stays");
    let second = load();
    let Reload::Replaced(old) = tail.poll().unwrap() else { panic!("it was loaded anew") };
    assert_ne!(tail.program().id, id);
    assert_eq!((old.first.load(Relaxed), tail.get().first.load(Relaxed)), (1, 0x1122_3344_5566_7788));
    assert!(matches!(tail.poll().unwrap(), Reload::Unchanged));
    drop(second);
    // A look at all variables follows as well.
    host::eventually(|| matches!(tail.poll().unwrap(), Reload::Gone));
    let _third = load();
    let globals = Follower::<Globals>::by_name("followed").unwrap();
    assert_eq!(globals.get().var("last").unwrap().read().unwrap().as_i128(), Some(0x99aa_bbcc));
}
