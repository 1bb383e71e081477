//! The machine under the tests: what it allows, its CPUs, a bpffs, threads with fewer rights, this program once more.

use std::collections::BTreeMap;
use std::env;
use std::ffi::CString;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Why a test that needs the kernel cannot run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// The test has no `CAP_SYS_ADMIN`.
    NoPrivilege,
    /// The kernel is older than the feature.
    KernelTooOld {
        /// The first kernel with it.
        needs: (u32, u32),
        /// This one.
        found: (u32, u32),
    },
    /// The machine has not enough free memory.
    TooLittleMemory {
        /// GiB that the test needs.
        needs: u64,
    },
    /// The machine has not enough CPUs.
    TooFewCpus {
        /// How many the test needs.
        needs: usize,
    },
    /// A program that the test runs is missing.
    NoTool {
        /// Its name.
        tool: &'static str,
    },
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::NoPrivilege => f.write_str("needs root (CAP_SYS_ADMIN); run: sudo -E cargo test --workspace"),
            Skip::KernelTooOld { needs, found } => {
                write!(f, "needs Linux {}.{}, this is {}.{}", needs.0, needs.1, found.0, found.1)
            }
            Skip::TooLittleMemory { needs } => write!(f, "needs {needs} GiB of free memory"),
            Skip::TooFewCpus { needs } => write!(f, "needs {needs} CPUs"),
            Skip::NoTool { tool } => write!(f, "needs {tool}; run: apt-get install {tool}"),
        }
    }
}

impl Skip {
    /// Whether even CI accepts it: `BPFVAR_MAY_SKIP` names what the machine under the tests lacks on purpose, as `kernel,cpus`.
    fn is_on_purpose(self) -> bool {
        let name = match self {
            Skip::KernelTooOld { .. } => "kernel",
            Skip::TooFewCpus { .. } => "cpus",
            Skip::NoPrivilege | Skip::TooLittleMemory { .. } | Skip::NoTool { .. } => return false,
        };
        env::var("BPFVAR_MAY_SKIP").is_ok_and(|names| names.split(',').any(|on_purpose| on_purpose == name))
    }
}

/// Whether a test that needs root and this kernel runs here: true, or says loudly why not. In CI (`CI` is set) that is a
/// failure, unless `BPFVAR_MAY_SKIP` says that the kernel is old on purpose. Also lifts the limit that old kernels set to maps.
///
/// # Panics
///
/// In CI, if the test cannot run.
#[track_caller]
pub fn ready(needs: (u32, u32)) -> bool {
    let found = kernel();
    if !has_capability(21) {
        skip(Skip::NoPrivilege)
    } else if found < needs {
        skip(Skip::KernelTooOld { needs, found })
    } else {
        if found < (5, 11) {
            limit_locked_memory(libc::RLIM_INFINITY);
        }
        true
    }
}

/// The same for a test that needs so many GiB of free memory.
///
/// # Panics
///
/// In CI, if the test cannot run.
#[track_caller]
pub fn has_memory(needs: u64) -> bool {
    let meminfo = fs::read_to_string("/proc/meminfo").expect("/proc is mounted");
    let available = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:")).expect("a MemAvailable line");
    let kib: u64 = available.trim().trim_end_matches(" kB").parse().expect("a number of KiB");
    kib >> 20 >= needs || skip(Skip::TooLittleMemory { needs })
}

/// The same for a test that needs so many CPUs.
///
/// # Panics
///
/// In CI, if the test cannot run.
#[track_caller]
pub fn has_cpus(needs: usize) -> bool {
    cpus().len() >= needs || skip(Skip::TooFewCpus { needs })
}

/// The same for a test that runs a tool which is none of ours.
///
/// # Panics
///
/// In CI, if the test cannot run.
#[track_caller]
pub fn has_tool(tool: &'static str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file()) || skip(Skip::NoTool { tool })
}

/// Always false.
#[track_caller]
fn skip(skip: Skip) -> bool {
    assert!(env::var_os("CI").is_none() || skip.is_on_purpose(), "no test may be skipped in CI: {skip}");
    let text = format!("\n*** SKIPPED {}: {skip} ***\n", thread::current().name().unwrap_or("a test"));
    // Not by a macro, whose output libtest keeps back where a test passes.
    io::stderr().write_all(text.as_bytes()).expect("standard error is open");
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    if skipped.is_empty() {
        // SAFETY: the function is called once, when the process ends, and may be called then.
        unsafe { libc::atexit(tell_what_was_skipped) };
    }
    skipped.push(skip);
    false
}

/// What was skipped in this process so far.
static SKIPPED: Mutex<Vec<Skip>> = Mutex::new(Vec::new());

/// To libtest a test that was skipped has passed. So the process says at its end how many were skipped, and why.
extern "C" fn tell_what_was_skipped() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for skip in skipped.iter() {
        *reasons.entry(skip.to_string()).or_default() += 1;
    }
    for (reason, count) in reasons {
        let tests = if count == 1 { "1 test was" } else { &format!("{count} tests were") };
        eprintln!("*** {tests} SKIPPED: {reason} ***");
    }
}

/// The running kernel's version.
///
/// # Panics
///
/// If /proc does not tell.
pub fn kernel() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().expect("a version"));
    (numbers.next().expect("a major version"), numbers.next().expect("a minor version"))
}

/// Whether this thread has a capability in effect.
///
/// # Panics
///
/// If /proc does not tell.
pub fn has_capability(number: u32) -> bool {
    let status = fs::read_to_string("/proc/thread-self/status").expect("/proc is mounted");
    let hex = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("a CapEff line");
    u64::from_str_radix(hex.trim(), 16).expect("a hexadecimal mask") & 1 << number != 0
}

/// Runs `work` on a thread of its own that has no capabilities. The rest of the process keeps them.
///
/// # Panics
///
/// If `work` does, or capabilities cannot be dropped.
pub fn without_capabilities<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            set_capabilities(0).expect("a thread may drop its capabilities");
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Gives this thread these capabilities, of those that it is permitted, and takes all others away.
fn set_capabilities(capabilities: u64) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    // _LINUX_CAPABILITY_VERSION_3: two sets of effective, permitted, inheritable. pid 0 is this thread.
    let header = Header { version: 0x2008_0522, pid: 0 };
    // The low halves first, then the high ones.
    let halves = [capabilities as u32, (capabilities >> 32) as u32].map(|half| [half, half, 0]);
    // SAFETY: the kernel reads both structs, which are laid out as version 3 wants them. It concerns this thread only.
    match unsafe { libc::syscall(libc::SYS_capset, std::ptr::from_ref(&header), std::ptr::from_ref(&halves)) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether the kernel refuses every bpf(2) call of a thread without `CAP_BPF`: before Linux 5.19, where a setting says so.
///
/// # Panics
///
/// If /proc does not tell.
pub fn bpf_is_closed_without_capabilities() -> bool {
    let setting = fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").expect("/proc is mounted");
    kernel() < (5, 19) && setting.trim() != "0"
}

/// The CPUs that this process may run on.
///
/// # Panics
///
/// If the kernel does not tell.
pub fn cpus() -> Vec<usize> {
    // SAFETY: a cpu_set_t is bits; zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills at most as many bytes as said.
    let result = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: below CPU_SETSIZE.
    (0..libc::CPU_SETSIZE as usize).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect()
}

/// Keeps this thread on one CPU.
///
/// # Panics
///
/// If the kernel refuses.
pub fn pin_to(cpu: usize) {
    // SAFETY: a cpu_set_t is bits; zero is the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the CPU came from `cpus`, below CPU_SETSIZE.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the kernel reads as many bytes as said.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// The id of this thread, as programs see it in the low half of `bpf_get_current_pid_tgid`.
pub fn thread_id() -> u32 {
    // SAFETY: no argument, no effect.
    unsafe { libc::gettid() as u32 }
}

/// How long this thread was on a CPU so far.
///
/// # Panics
///
/// If the kernel does not tell.
pub fn on_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the struct.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// How many page faults this thread had so far.
///
/// # Panics
///
/// If the kernel does not tell.
pub fn page_faults() -> u64 {
    // SAFETY: a struct of numbers; zero is one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel fills the struct.
    let result = unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    (usage.ru_minflt + usage.ru_majflt) as u64
}

/// The size of a page in bytes.
pub fn page_size() -> usize {
    // SAFETY: no argument but a name, no effect.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// Lowers this process's limit of open descriptors.
///
/// # Panics
///
/// If the kernel refuses.
pub fn limit_descriptors(limit: u64) {
    set_limit(libc::RLIMIT_NOFILE, limit);
}

/// Sets this process's limit of locked memory, against which maps count before Linux 5.11, also those of root.
///
/// # Panics
///
/// If the kernel refuses.
pub fn limit_locked_memory(bytes: u64) {
    set_limit(libc::RLIMIT_MEMLOCK, bytes);
}

pub(crate) fn set_limit(resource: libc::__rlimit_resource_t, limit: u64) {
    let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: the struct is read only.
    let result = unsafe { libc::setrlimit(resource, &raw const limit) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Makes the page of `value` accessible as `protection` (PROT_...) says, beside the right to read.
///
/// # Safety
///
/// Nobody writes to the page, or runs what is in it.
///
/// # Errors
///
/// The kernel's errno.
pub unsafe fn protect<T>(value: &T, protection: i32) -> io::Result<()> {
    let page = std::ptr::from_ref(value).map_addr(|address| address / page_size() * page_size());
    // SAFETY: it stays readable, and the caller vouches that no other right to it is used.
    match unsafe { libc::mprotect(page.cast_mut().cast(), page_size(), libc::PROT_READ | protection) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Forks: runs `there` in the child, which has all mappings and descriptors of this process but only this thread, beside `here`, which
/// gets the child's number. Each has an end of a connection. Gives what `here` returned, and whether `there` came to its end without a
/// panic. For a process of the test's own: locks that other threads hold stay locked in the child.
///
/// # Panics
///
/// If there can be no child, or no connection.
pub fn fork<R>(there: impl FnOnce(UnixStream), here: impl FnOnce(u32, UnixStream) -> R) -> (R, bool) {
    let (of_parent, of_child) = UnixStream::pair().expect("a pair of sockets");
    // SAFETY: the child has only this thread, and ends by _exit below; the C library's allocator may be used in it.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", io::Error::last_os_error()),
        0 => {
            drop(of_parent);
            // Nobody sees what a panic leaves behind: the child ends.
            let result = catch_unwind(AssertUnwindSafe(|| there(of_child)));
            // SAFETY: ends the process at once; what the parent's threads own is left alone.
            unsafe { libc::_exit(i32::from(result.is_err())) }
        }
        child => {
            drop(of_child);
            let result = here(child.unsigned_abs(), of_parent);
            let mut status = 0;
            // SAFETY: the kernel writes the status.
            let ended = unsafe { libc::waitpid(child, &raw mut status, 0) };
            assert_eq!(ended, child, "{}", io::Error::last_os_error());
            (result, status == 0)
        }
    }
}

/// Gives what `work` writes in a forked child (see [`fork`]).
///
/// # Panics
///
/// If the child panics, or there can be none.
pub fn in_a_fork(work: impl FnOnce() -> String) -> String {
    let there = |mut parent: UnixStream| parent.write_all(work().as_bytes()).expect("the parent listens");
    let (text, ended_well) = fork(there, |_, child| io::read_to_string(child).expect("the child writes text"));
    assert!(ended_well, "the child panicked");
    text
}

/// Makes this thread the user and group 65534 with these capabilities (a bit each) and no others, for good, as if a program had been
/// started so.
///
/// # Panics
///
/// If the kernel refuses.
pub fn become_nobody(capabilities: u64) {
    const NOBODY: libc::c_long = 65534;
    let done = |result: libc::c_long| assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: numbers only.
    done(unsafe { libc::syscall(libc::SYS_prctl, libc::PR_SET_KEEPCAPS, 1, 0, 0, 0) });
    // SAFETY: no groups are read. The raw calls concern this thread only.
    done(unsafe { libc::syscall(libc::SYS_setgroups, 0, 0) });
    // SAFETY: numbers only.
    done(unsafe { libc::syscall(libc::SYS_setresgid, NOBODY, NOBODY, NOBODY) });
    // SAFETY: numbers only.
    done(unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) });
    set_capabilities(capabilities).expect("a thread may drop its capabilities");
    // Or its files in /proc would be root's, which they are not after an exec.
    // SAFETY: numbers only.
    done(unsafe { libc::syscall(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0) });
}

/// Moves this process, which has one thread, into a user namespace of its own, where it has every capability, and into a mount namespace
/// that belongs to it.
///
/// # Errors
///
/// The kernel's errno.
pub fn enter_user_namespace() -> io::Result<()> {
    // SAFETY: a number only.
    match unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes the kernel refuse a command of bpf(2) to this thread with EPERM, for good, as a container's seccomp profile does.
///
/// # Panics
///
/// If the kernel knows no seccomp filters.
pub fn refuse_bpf(command: u32) {
    filter_calls([
        step(LOAD, 0, 0, 0),
        step(JUMP, 0, 3, libc::SYS_bpf as u32),
        step(LOAD, 0, 0, low_half(0)),
        step(JUMP, 0, 1, command),
        step(GIVE, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        step(GIVE, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
}

/// Makes every mmap of a descriptor by this thread answer with address 0, for good, as a seccomp supervisor can.
///
/// # Panics
///
/// If the kernel knows no seccomp filters.
pub fn map_at_null() {
    filter_calls([
        step(LOAD, 0, 0, 0),
        step(JUMP, 0, 3, libc::SYS_mmap as u32),
        step(LOAD, 0, 0, low_half(4)),
        step(JUMP, 1, 0, u32::MAX),
        step(GIVE, 0, 0, libc::SECCOMP_RET_ERRNO),
        step(GIVE, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]);
}

// Classic BPF on struct seccomp_data: the number of the call at byte 0, its arguments of 8 bytes from byte 16 on.
const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const JUMP: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const GIVE: u32 = libc::BPF_RET | libc::BPF_K;

/// Where the low half of an argument is.
const fn low_half(argument: u32) -> u32 {
    16 + 8 * argument + if cfg!(target_endian = "little") { 0 } else { 4 }
}

fn step(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

fn filter_calls<const N: usize>(mut steps: [libc::sock_filter; N]) {
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: a number, no address.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: the program and its steps are borrowed for the call, which copies them.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Mounts a tmpfs over /proc for this thread, and puts `files` there: (path below /proc, contents), or (path, target) of a
/// symbolic link if the contents start with `->`. For a process of the test's own: there is no way back.
///
/// # Panics
///
/// If the kernel refuses.
pub fn replace_proc(files: &[(String, &str)]) {
    // SAFETY: numbers only.
    let result = unsafe { libc::unshare(libc::CLONE_NEWNS) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    let mount = |kind: &std::ffi::CStr, target: &std::ffi::CStr, flags| {
        // SAFETY: all strings are NUL-terminated; no data.
        let result = unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, std::ptr::null()) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    };
    mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE);
    mount(c"tmpfs", c"/proc", 0);
    for (path, contents) in files {
        let path = Path::new("/proc").join(path);
        fs::create_dir_all(path.parent().expect("it is below /proc")).expect("a directory in a tmpfs");
        match contents.strip_prefix("->") {
            Some(target) => std::os::unix::fs::symlink(target, path),
            None => fs::write(path, contents),
        }
        .expect("a file in a tmpfs");
    }
}

/// A BPF file system of one's own, mounted on a new directory. Dropping it unmounts, which removes all pins.
#[derive(Debug)]
pub struct Bpffs {
    path: PathBuf,
}

impl Bpffs {
    /// Mounts one.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub fn mount() -> Bpffs {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("bpfvar-bpffs-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a new directory");
        let target = c_path(&path);
        // SAFETY: all strings are NUL-terminated; no data.
        let result = unsafe { libc::mount(c"bpf".as_ptr(), target.as_ptr(), c"bpf".as_ptr(), 0, std::ptr::null()) };
        assert_eq!(result, 0, "mount -t bpf: {}", io::Error::last_os_error());
        Bpffs { path }
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        let target = c_path(&self.path);
        // SAFETY: NUL-terminated. Lazily, so that nothing that is still open keeps the mount.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
        drop(fs::remove_dir(&self.path));
    }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.as_os_str().as_encoded_bytes()).expect("no NUL in a path")
}

/// One test of this test program, this one, as a command for a new process, which sees `argument` as [`argument`].
///
/// # Panics
///
/// If the program cannot be found.
pub fn this_test_command(argument: &str) -> Command {
    let name = thread::current().name().expect("tests run on named threads").to_owned();
    let mut command = Command::new(env::current_exe().expect("/proc is mounted"));
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env("BPFVAR_TEST_ARGUMENT", argument);
    command
}

/// Runs [`this_test_command`] to its end; its exit status is the caller's to judge.
///
/// # Panics
///
/// If the process cannot be started.
pub fn this_test_again(argument: &str) -> Output {
    this_test_command(argument).output().expect("this program can be started again")
}

/// Whether this is a process of the test's own, for what concerns a whole process. In the first one: if the test can run here (see
/// [`ready`]), starts it once more, and looks at how that ended.
///
/// # Panics
///
/// In the first process, if the test fails in its own.
#[track_caller]
pub fn alone(needs: (u32, u32)) -> bool {
    if argument().is_some() {
        return true;
    }
    if ready(needs) {
        let output = this_test_again("alone");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        print!("{text}");
    }
    false
}

/// What [`this_test_command`] passed; `None` in the first process.
pub fn argument() -> Option<String> {
    env::var("BPFVAR_TEST_ARGUMENT").ok()
}

/// Waits for something that the kernel does a little later, such as freeing a map after an RCU grace period.
///
/// # Panics
///
/// If it has not come true after ten seconds.
#[track_caller]
pub fn eventually(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "it has not come true");
        thread::yield_now();
    }
}
