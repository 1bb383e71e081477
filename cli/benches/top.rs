//! What it costs to watch a thousand variables ten times a second: `bpfvar top` in a terminal of tmux, beside a loop of `bpftool
//! map dump`. What is counted is the time on a CPU, user and system, of the process and its children: other load on the machine
//! does not count. `cargo bench -p bpfvar-cli --bench top`.

use std::fs;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use bpfvar::{Map, ReadWrite, TypedMap};
use bpfvar_testkit::{host, load_btf};

const VARIABLES: u32 = 1000;
const INTERVAL: Duration = Duration::from_millis(100);
/// The programs change their variables so often.
const BETWEEN_CHANGES: Duration = Duration::from_millis(20);

fn main() {
    if !host::ready((5, 5)) || !host::has_tool("tmux") || !host::has_tool("bpftool") {
        return;
    }
    // As `cargo bench -- --test` says it.
    let lasts = Duration::from_secs(if std::env::args().any(|argument| argument == "--test") { 2 } else { 20 });
    let map = variables();
    let id = map.info().id;
    // For as long as this process runs.
    thread::spawn(move || change(&map));
    println!("{VARIABLES} variables, every {INTERVAL:?}, for {lasts:?} each; of one CPU:\n");
    for (width, height) in [(80, 24), (300, 100)] {
        for (keys, what) in [("", "by name"), ("ss", "by rate")] {
            let used = top(id, (width, height), keys, lasts);
            println!("{:6.2} %  bpfvar top, {width} x {height}, {what}", percent(used, lasts));
        }
    }
    println!("{:6.2} %  bpftool map dump, to /dev/null", percent(bpftool(id, lasts), lasts));
}

fn percent(used: Duration, of: Duration) -> f64 {
    used.as_secs_f64() / of.as_secs_f64() * 100.0
}

/// A section of so many variables of 8 bytes.
fn variables() -> TypedMap {
    let mut strings = vec![0];
    let mut string = |text: &str| {
        let at = strings.len() as u32;
        strings.extend(text.bytes().chain([0]));
        at
    };
    let (int, variable, section) = (1 << 24, 14 << 24, 15 << 24);
    let mut types = vec![string("u64"), int, 8, 64];
    for number in 0..VARIABLES {
        types.extend([string(&format!("counter_{number:04}")), variable, 1, 1]);
    }
    types.extend([string(".bss"), section | VARIABLES, VARIABLES * 8]);
    types.extend((0..VARIABLES).flat_map(|number| [number + 2, number * 8, 8]));
    // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
    let types_len = (types.len() * 4) as u32;
    let mut blob = vec![0x9f, 0xeb, 1, 0];
    let header = [24, 0, types_len, types_len, strings.len() as u32];
    blob.extend(header.iter().chain(&types).flat_map(|word| word.to_ne_bytes()));
    blob.extend(strings);
    let btf = load_btf(&blob).expect("the kernel takes the types");
    let value_type = VARIABLES + 2;
    let map = Map::builder().name("many.bss").value_size(VARIABLES * 8).btf(btf.as_fd(), 0, value_type).create();
    TypedMap::open(map.expect("a map")).expect("the kernel has its types")
}

/// Counts in all variables, as programs would.
fn change(map: &TypedMap) -> ! {
    let counters =
        map.vars().map(|var| var.bind::<u64, ReadWrite>()).collect::<Result<Vec<_>, _>>().expect("they are u64");
    loop {
        for (counter, by) in counters.iter().zip(1..) {
            counter.fetch_add(by, Ordering::Relaxed);
        }
        thread::sleep(BETWEEN_CHANGES);
    }
}

/// What `bpfvar top` uses while it runs in a terminal of this size.
fn top(map: u32, (width, height): (u32, u32), keys: &str, lasts: Duration) -> Duration {
    // tmux leaves its socket behind.
    let directory = tempfile::tempdir().expect("a directory");
    let tmux = |arguments: &[&str]| {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(directory.path().join("socket")).args(["-f", "/dev/null"]);
        let output = tmux.args(arguments).output();
        let output = output.expect("tmux can be run");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let (width, height) = (width.to_string(), height.to_string());
    let interval = format!("{INTERVAL:?}");
    let tool = [env!("CARGO_BIN_EXE_bpfvar"), "top", &format!("map:{map}"), "-i", &interval].join(" ");
    tmux(&["new-session", "-d", "-x", &width, "-y", &height, &tool]);
    let deadline = Instant::now() + Duration::from_secs(60);
    while !tmux(&["capture-pane", "-p"]).contains("counter_0001") {
        assert!(Instant::now() < deadline, "nothing is drawn");
        thread::sleep(INTERVAL);
    }
    if !keys.is_empty() {
        tmux(&["send-keys", "-l", keys]);
    }
    let process = tmux(&["list-panes", "-F", "#{pane_pid}"]);
    // What starting takes is no part of it.
    thread::sleep(Duration::from_secs(1));
    let before = on_cpu(process.trim());
    thread::sleep(lasts);
    let used = on_cpu(process.trim()) - before;
    tmux(&["kill-server"]);
    used
}

/// The time that all threads of a process were on a CPU.
fn on_cpu(process: &str) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let of_thread = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).expect("/proc tells");
        text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<u64>().ok()).expect("a number")
    };
    Duration::from_nanos(threads.map(|thread| of_thread(thread.expect("/proc tells"))).sum())
}

/// What a loop of bpftool uses that reads as often.
fn bpftool(map: u32, lasts: Duration) -> Duration {
    let before = of_children();
    let start = Instant::now();
    for tick in 1.. {
        let status =
            Command::new("bpftool").args(["map", "dump", "id", &map.to_string()]).stdout(Stdio::null()).status();
        assert!(status.expect("it can be run").success());
        if start.elapsed() >= lasts {
            break;
        }
        thread::sleep((INTERVAL * tick).saturating_sub(start.elapsed()));
    }
    of_children() - before
}

/// The time that children of this process were on a CPU, as far as they have ended.
fn of_children() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc is mounted");
    // Behind the name, which may hold anything: state is field 3, cutime and cstime are 16 and 17, in hundredths of a second.
    let fields = stat.rsplit(')').next().expect("a name").split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).map(|field| field.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}
