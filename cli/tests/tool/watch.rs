//! `watch`.

use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bpfvar::Array;
use bpfvar_objects::Source;
use bpfvar_testkit::insn::{self, Helper, Reg, Size};
use bpfvar_testkit::{Attached, Program, ProgramType, host};
use serde_json::Value;

use crate::support::{fails, has, load, map, ok, program, text, tool};

#[test]
fn samples_are_lines_and_a_summary_ends_them() {
    let Some(loaded) = load(Source::Count) else { return };
    let p = program(&loaded);
    let args =
        ["watch", &format!("{p}.packets"), &format!("{p}.config"), &format!("{p}.label"), "-n", "3", "-i", "5ms"];
    let printed = ok(&args);
    let rows = |name: &str| printed.lines().filter(|line| line.split_whitespace().nth(1) == Some(name)).count();
    assert_eq!(rows(&format!("{p}.packets")), 3, "{printed}");
    assert_eq!(rows(&format!("{p}.config.limits[2].burst")), 3, "structs and arrays are rows");
    has(&printed, &["NAME", "CHANGE", "RATE", "\n3 samples in 0.0", "AVERAGE RATE", "\"eth0\"", "FAST"]);
    assert_eq!(ok(&["watch", "-q", &format!("{p}.packets"), "-n", "2", "-i", "1ms"]), "0\n0\n");
}

#[test]
fn json_is_an_object_a_line() {
    let Some(maps) = load(Source::Maps) else { return };
    let stats = map(&maps, "stats");
    let done = AtomicBool::new(false);
    let printed = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                // Many in one call would be broken off by the signal of a child's end.
                maps.run(1);
            }
        });
        let printed = ok(&["watch", "--json", &format!("{stats}[1].packets"), &stats, "-n", "4", "-i", "20ms"]);
        done.store(true, Ordering::Relaxed);
        printed
    });
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // Four entries of seven scalars and one more; four samples and a summary.
    assert_eq!(lines.len(), 29 * 5);
    let packets: Vec<&Value> = lines.iter().filter(|line| line["name"] == format!("{stats}[1].packets")).collect();
    assert!(packets[0]["change"].is_null() && packets[0]["time"].as_f64().is_some_and(|time| time > 1e9));
    for pair in packets[..8].chunks(2).collect::<Vec<_>>().windows(2) {
        let (before, after) = (&pair[0][0], &pair[1][0]);
        assert_eq!(
            after["change"].as_i64(),
            Some(after["value"].as_i64().unwrap() - before["value"].as_i64().unwrap())
        );
        let seconds = after["time"].as_f64().unwrap() - before["time"].as_f64().unwrap();
        let rate = after["change"].as_f64().unwrap() / seconds;
        assert!(after["rate"].as_f64().is_some_and(|told| told > 0.0 && told / rate < 2.0 && rate / told < 2.0));
    }
    let summary = &packets[8]["summary"];
    assert_eq!((&summary["samples"], &summary["first"]), (&Value::from(4), &packets[0]["value"]));
}

#[test]
fn a_value_that_goes_back_has_a_negative_change() {
    let Some(loaded) = load(Source::Count) else { return };
    let neighbour = format!("{}.neighbour", program(&loaded));
    ok(&["set", &format!("{neighbour}=0xffffffffffffffff")]);
    let mut child =
        tool(&["watch", "--json", &neighbour, "-n", "2", "-i", "300ms"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    has(&lines.next().unwrap(), &["\"value\":\"18446744073709551615\""]);
    ok(&["set", &format!("{neighbour}=5")]);
    has(&lines.next().unwrap(), &["\"value\":5", "\"change\":\"-18446744073709551610\"", "\"rate\":-"]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn ctrl_c_ends_with_a_summary() {
    let Some(loaded) = load(Source::Count) else { return };
    for signal in ["-INT", "-TERM"] {
        let mut child = tool(&["watch", &format!("{}.packets", program(&loaded)), "-i", "1ms"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
        for _ in 0..50 {
            lines.next().unwrap();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let rest: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        has(&rest.join("\n"), &["samples in 0.", "AVERAGE RATE"]);
    }
}

#[test]
fn a_short_watch_has_a_last_sample() {
    let Some(loaded) = load(Source::Count) else { return };
    let mut child =
        tool(&["watch", &format!("{}.packets", program(&loaded)), "-i", "1h"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    lines.by_ref().take(2).for_each(drop);
    loaded.run(1);
    thread::sleep(Duration::from_millis(100));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    has(&rest.join("\n"), &["2 samples in 0.", "+1"]);
}

#[test]
fn too_many_rows_are_refused() {
    let Some(loaded) = load(Source::Kinds) else { return };
    let p = program(&loaded);
    let args = ["watch", &format!("{p}.large"), &format!("{p}.large"), &format!("{p}.large"), "-n", "1"];
    has(&fails(&args), &["more than 10000 rows", "name a part", "large[0]"]);
}

#[test]
fn a_summary_in_a_pipe_is_not_cut() {
    let Some(loaded) = load(Source::Count) else { return };
    let target = format!("{}.config.limits[2].burst", program(&loaded));
    let output = tool(&["watch", &target, "-n", "1"]).env("COLUMNS", "20").output().unwrap();
    let printed = text(&output.stdout);
    let row = printed.lines().last().unwrap();
    assert!(row.starts_with(&target) && row.split_whitespace().count() > 3, "{printed}");
}

#[test]
fn one_millisecond_is_kept_without_drift() {
    let Some(loaded) = load(Source::Count) else { return };
    let start = Instant::now();
    let printed = ok(&["watch", &format!("{}.packets", program(&loaded)), "-i", "1ms", "-n", "500"]);
    let took = start.elapsed();
    has(&printed, &["\n500 samples in "]);
    assert!(took >= Duration::from_millis(499), "{took:?}");
}

/// Counts the calls of bpf(2) that the main thread of a process makes.
pub(crate) fn count_bpf_calls(process: u32) -> (Array<u64>, Attached) {
    let count = Array::<u64>::builder().name("bpf_calls").create().unwrap();
    let map = count.map().unwrap();
    let mut insns = vec![
        // The second argument of sys_enter is the number of the call.
        insn::load(Size::DW, Reg::R8, Reg::R1, 8),
        insn::call(Helper::GetCurrentPidTgid),
        insn::mov32(Reg::R6, Reg::R0),
        insn::mov32_imm(Reg::R7, process as i32),
        insn::jump_ne_reg(Reg::R6, Reg::R7, 6),
        insn::mov32_imm(Reg::R7, libc::SYS_bpf as i32),
        insn::jump_ne_reg(Reg::R8, Reg::R7, 4),
    ];
    insns.extend(insn::load_value(Reg::R1, map.as_fd(), 0));
    insns.extend([
        insn::mov_imm(Reg::R2, 1),
        insn::atomic_add(Size::DW, Reg::R1, 0, Reg::R2),
        insn::mov_imm(Reg::R0, 0),
        insn::exit(),
    ]);
    let attached = Program::load(ProgramType::RawTracepoint, &insns).unwrap().attach(c"sys_enter").unwrap();
    (count, attached)
}

#[test]
fn sampling_calls_the_kernel_for_no_value() {
    let (Some(loaded), Some(maps)) = (load(Source::Count), load(Source::Maps)) else { return };
    // Whether it takes calls of bpf(2) to read a target a hundred times; once a second there are some for other reasons.
    let takes_calls = |target: &str| {
        let mut child = tool(&["watch", "-q", target, "-i", "1ms"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        let (count, _attached) = count_bpf_calls(child.id());
        // What was printed before the counter was there.
        lines.by_ref().take(100).for_each(|line| drop(line.unwrap()));
        let quiet = (0..20).any(|_| {
            let before = count.read(0);
            lines.by_ref().take(100).for_each(|line| drop(line.unwrap()));
            count.read(0) == before
        });
        child.kill().unwrap();
        child.wait().unwrap();
        !quiet
    };
    assert!(!takes_calls(&format!("{}.packets", program(&loaded))));
    assert!(takes_calls(&format!("{}[1].packets", map(&maps, "plain"))), "the counter counts");
}

#[test]
fn it_ends_with_the_program() {
    let Some(loaded) = load(Source::Count) else { return };
    let bpffs = host::Bpffs::mount();
    let pin = bpffs.path("bss");
    loaded.map(".bss").pin(&pin).unwrap();
    let id = loaded.map(".bss").info().id;
    let target = format!("pin:{}.packets", pin.display());
    let mut child = tool(&["watch", &target, "-i", "100ms", "--timeout", "30s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    drop(loaded);
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.len() < 100, "it did not wait for the timeout");
    has(&rest.join("\n"), &["0 (program gone)"]);
    has(rest.last().unwrap(), &[".packets", "0.0/s"]);
    let output = child.wait_with_output().unwrap();
    let warning = text(&output.stderr);
    assert_eq!((output.status.code(), warning.lines().count()), (Some(1), 1), "{warning}");
    has(&warning, &["bpfvar: .bss", &format!("id {id}"), "no program uses it any more"]);
    // Who names what nobody uses from the start, wants to see it. With JSON it is said where the values are.
    let output = tool(&["watch", "--json", &target, "-n", "1"]).output().unwrap();
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["map"]), (3, &Value::from(id)), "{lines:?}");
    has(lines[0]["warning"].as_str().unwrap(), &["no program uses it any more"]);
}

/// BTF with `char`, `int` and `char [8]`, in this order.
fn btf_of_texts() -> Vec<u8> {
    let strings = b"\0char\0int\0";
    let types: [u32; 14] = [
        1,
        1 << 24,
        1,
        1 << 24 | 8, // char
        6,
        1 << 24,
        4,
        1 << 24 | 32, // int
        0,
        3 << 24,
        0,
        1,
        2,
        8, // char [8]
    ];
    let types_len = size_of_val(&types) as u32;
    let mut bytes = vec![0x9f, 0xeb, 1, 0];
    let header = [24, 0, types_len, types_len, strings.len() as u32];
    bytes.extend(header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()));
    bytes.extend(strings);
    bytes
}

#[test]
fn a_map_of_texts_has_a_row_an_entry() {
    if !host::ready((5, 8)) {
        return;
    }
    let btf = bpfvar_testkit::load_btf(&btf_of_texts()).unwrap();
    let texts = bpfvar::Map::builder().name("texts").value_size(8).entries(2).btf(btf.as_fd(), 2, 3).create().unwrap();
    texts.update(1, b"eth0\0\0\0\0").unwrap();
    let target = format!("map:{}", texts.info().id);
    let printed = ok(&["watch", "--json", &target, "-n", "1"]);
    for (index, value) in ["", "eth0"].into_iter().enumerate() {
        let mut rows = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let row = rows.find(|line| line["name"] == format!("{target}[{index}]")).unwrap();
        assert_eq!(row["value"], value, "{printed}");
    }
}
