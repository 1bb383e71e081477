//! What an errno meant, and what to do.

use std::fmt;

/// What an errno meant in the call that it came from. `Display` states the fact; [`Cause::advice`] is the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// EPERM: the thread has no `CAP_BPF`.
    #[error("this thread has neither CAP_BPF nor CAP_SYS_ADMIN")]
    NeedsCapBpf,
    /// EPERM before Linux 5.19: `kernel.unprivileged_bpf_disabled` is not 0, and the thread has no `CAP_BPF`.
    #[error(
        "this thread has neither CAP_BPF nor CAP_SYS_ADMIN, and before Linux 5.19 kernel.unprivileged_bpf_disabled then closes all of bpf(2), whatever descriptor or pin is at hand"
    )]
    UnprivilegedBpfDisabled,
    /// EPERM: ids are for `CAP_SYS_ADMIN` only.
    #[error("opening objects by id needs CAP_SYS_ADMIN (CAP_BPF is not enough)")]
    NeedsCapSysAdmin,
    /// EPERM: BTF is opened by its id, and ids are for `CAP_SYS_ADMIN` only, even with a descriptor of the map or program.
    #[error(
        "reading an object's BTF needs CAP_SYS_ADMIN (CAP_BPF is not enough), even if the map or program was opened by pin or descriptor"
    )]
    BtfNeedsCapSysAdmin,
    /// EPERM: the thread is in a user namespace, and the kernel asks for its capabilities outside.
    #[error(
        "this thread is in a user namespace, and its capabilities do not count: bpf(2) asks for them outside of it"
    )]
    UserNamespace,
    /// EPERM: the thread has the right, and yet the kernel refused.
    #[error("the thread has the capability or a token, so a security module, seccomp or kernel lockdown refused")]
    Policy,
    /// EPERM before Linux 5.11: `RLIMIT_MEMLOCK` is too small.
    #[error("before Linux 5.11, map memory counts against RLIMIT_MEMLOCK, which is too small")]
    MemlockLimit,
    /// EPERM: the map is frozen.
    #[error("the map is frozen: user space can only read it, for good")]
    Frozen,
    /// EACCES: `BPF_F_RDONLY_PROG` maps are never mapped writable.
    #[error("the map is BPF_F_RDONLY_PROG, and such a map can never be mapped writable")]
    ReadOnlyForPrograms,
    /// EACCES, EINVAL or EPERM: the descriptor was opened with `BPF_F_RDONLY`, or the mode of a pin allowed no more.
    #[error("the descriptor is read-only: it can look up values, but not write, freeze or map them")]
    ReadOnlyDescriptor,
    /// EACCES or EPERM: the descriptor was opened with `BPF_F_WRONLY`.
    #[error("the descriptor is write-only and can neither read nor map")]
    WriteOnlyDescriptor,
    /// EBUSY: somebody still maps the map writable, or an update was in progress.
    #[error(
        "somebody still maps it writable (this process, another one, a forked child), or an update was in progress"
    )]
    MappedWritable,
    /// 524: the value type has a spin lock, timer, kptr or the like.
    #[error(
        "its value type holds a bpf_spin_lock, bpf_timer or another field that the kernel manages, so it can be neither mapped nor frozen"
    )]
    KernelManagedFields,
    /// ENOMEM: no memory, or no address space.
    #[error("the kernel does not have enough memory for it")]
    OutOfMemory,
    /// EMFILE or ENFILE: no descriptor left.
    #[error("no file descriptor is left")]
    OutOfDescriptors,
    /// ENOENT: no such id. EAGAIN: the link with this id is only just being made.
    #[error("no such object exists, or it no longer exists")]
    NoSuchId,
    /// ENOENT, ENOTDIR: no such path.
    #[error("the path, or a directory in it, does not exist")]
    NoSuchPath,
    /// EEXIST: the path is taken.
    #[error("something is already pinned there")]
    PathTaken,
    /// EPERM or EINVAL from a pin: the directory is not in a BPF file system.
    #[error("the directory is not in a BPF file system")]
    NotBpffs,
    /// EACCES from a get: the path is an ordinary file or a directory.
    #[error("the path is not a pinned object")]
    NotAPin,
    /// EACCES: the mode of the path forbids it.
    #[error("the mode of the path, or of a directory above it, forbids this")]
    PathPermission,
    /// EINVAL from a create whose arguments were checked: this kernel does not know a flag, or what a flag refers to does not
    /// exist.
    #[error(
        "this kernel does not know BPF_F_MMAPABLE (Linux 5.5) or tokens (6.9), the NUMA node does not exist, or the descriptor is not a token"
    )]
    UnsupportedByKernel,
    /// E2BIG from a create: the values are too big together.
    #[error("value size times entries is more than this kernel accepts")]
    TooBig,
    /// EBADF: a descriptor is closed.
    #[error("a descriptor is closed")]
    BadDescriptor,
    /// ENOSYS, or EINVAL from a batch call: before Linux 5.6.
    #[error("this kernel does not have the call (batches need Linux 5.6, freezing 5.2)")]
    NoSuchCall,
    /// Anything else.
    #[error("this errno is not expected here")]
    Other,
}

impl Cause {
    /// Returns the next step, where there is one.
    pub fn advice(self) -> Option<Advice> {
        Some(match self {
            Cause::NeedsCapBpf | Cause::UnprivilegedBpfDisabled => Advice::GrantCapBpf,
            Cause::UserNamespace => Advice::LeaveUserNamespace,
            Cause::NeedsCapSysAdmin => Advice::OpenByPin,
            Cause::BtfNeedsCapSysAdmin => Advice::GiveBtf,
            Cause::MemlockLimit => Advice::RaiseMemlock,
            Cause::Frozen => Advice::UseReadOnly,
            Cause::ReadOnlyForPrograms => Advice::UpdateUntilFrozen,
            Cause::ReadOnlyDescriptor | Cause::WriteOnlyDescriptor => Advice::OpenReadWrite,
            Cause::MappedWritable => Advice::DropMappings,
            Cause::KernelManagedFields => Advice::UseSystemCalls,
            Cause::OutOfMemory => Advice::MapLess,
            Cause::OutOfDescriptors => Advice::CloseDescriptors,
            Cause::NoSuchId => Advice::ListIds,
            Cause::NoSuchPath | Cause::NotAPin => Advice::ListPins,
            Cause::PathTaken => Advice::ChooseAnotherPath,
            Cause::NotBpffs => Advice::MountBpffs,
            Cause::PathPermission => Advice::CheckMode,
            Cause::Other => Advice::SeeManual,
            Cause::Policy | Cause::UnsupportedByKernel | Cause::TooBig | Cause::BadDescriptor | Cause::NoSuchCall => {
                return None;
            }
        })
    }
}

macro_rules! advice {
    ($($(#[doc = $doc:literal])+ $name:ident: $text:literal;)*) => {
        /// The next step after an error, as data. `Display` says it to a programmer who uses this library; a tool that is built on
        /// it may say it otherwise to its users.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Advice {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Advice {
            /// Every advice that there is: for a tool that tests that it has words for each.
            pub const ALL: &'static [Advice] = &[$(Advice::$name),*];
        }

        impl fmt::Display for Advice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Advice::$name => $text,)*
                })
            }
        }
    };
}

advice! {
    /// The thread lacks `CAP_BPF`.
    GrantCapBpf: "run as root or grant the capability (setcap cap_bpf+ep PROGRAM, AmbientCapabilities=CAP_BPF in systemd)";
    /// The thread lacks `CAP_SYS_ADMIN`.
    OpenByPin: "run as root, or open a pin or a descriptor instead";
    /// The thread is in a user namespace.
    LeaveUserNamespace: "run outside of it, get a pin or a descriptor from there, or create maps by a BPF token (MapBuilder::token, Linux 6.9)";
    /// The thread lacks `CAP_SYS_ADMIN` to fetch BTF.
    GiveBtf: "run as root, supply the BTF yourself (Btf::parse, TypedMap::with_btf), or map by size alone (Array::from_map)";
    /// `RLIMIT_MEMLOCK` is too small.
    RaiseMemlock: "raise it (ulimit -l unlimited, setrlimit)";
    /// The map is frozen.
    UseReadOnly: "use it read-only (A = ReadOnly)";
    /// The map is `BPF_F_RDONLY_PROG`.
    UpdateUntilFrozen: "use it read-only (A = ReadOnly), and write by Map::update until it is frozen";
    /// The descriptor is read-only or write-only.
    OpenReadWrite: "open the map read-write; even a read-only mapping needs a read-write descriptor";
    /// Somebody maps the map writable.
    DropMappings: "drop those mappings (every Array and Shared of it) and try again";
    /// The map cannot be mapped.
    UseSystemCalls: "use Map::lookup and Map::update";
    /// There is not enough memory.
    MapLess: "create it with fewer entries or smaller values, or map a window of it";
    /// No descriptor is left.
    CloseDescriptors: "close some, or raise RLIMIT_NOFILE (ulimit -n)";
    /// Nothing has this id.
    ListIds: "Map::ids and Program::ids list what exists";
    /// Nothing is pinned at this path.
    ListPins: "pins are the files in a BPF file system (ls /sys/fs/bpf)";
    /// The path of a pin is taken.
    ChooseAnotherPath: "unpin it or choose another path";
    /// The directory for a pin is not in a BPF file system.
    MountBpffs: "mount one (mount -t bpf bpf /sys/fs/bpf) and pin below it";
    /// The mode of a path forbids the access.
    CheckMode: "check owner and mode; a pin that may only be read opens by Map::from_pin_read_only, for lookups, but mapping needs the right to write";
    /// The errno is not expected.
    SeeManual: "see bpf(2)";
    /// The map is not `BPF_F_MMAPABLE`.
    MakeMappable: "set the flag where the map is created (libbpf: __uint(map_flags, BPF_F_MMAPABLE); aya: an Array<T> with flags 1024), or use Map::lookup and Map::update";
    /// The variable's map is not `BPF_F_MMAPABLE`, and a variable in it is to be written.
    RewriteSection: "Var::read reads it by system call; Var::change_by_rewrite writes it, and loses what programs store to the section meanwhile";
    /// The variable's map cannot be mapped, and a handle to it is asked for.
    ReadBySystemCall: "Var::read and Var::read_as read it by system call";
    /// The size of a type is not that of the map's values.
    CompareWithProgram: "compare the type with the program's, padding included";
    /// Nothing describes the values of a map.
    ReadAsBytes: "read them as bytes (Map::lookup), or map a type by its size alone (Array::from_map)";
    /// No BTF was loaded.
    CompileWithBtf: "compile with -g, and load the BTF with the program";
    /// The BTF does not fit the map.
    TakeLoadedBtf: "take the BTF that the program was loaded with; that of an object file must first be completed by a linker (bpftool gen object)";
    /// A whole variable is too much to read at once.
    ReadAPart: "read a part of it";
    /// Several objects have the name.
    ChooseById: "choose one by its id";
    /// Several variables have the name.
    ChooseByOffset: "choose one by its offset, NAME@OFFSET, or look in one map only";
    /// A map has several entries.
    ChooseEntry: "choose an entry, [INDEX]";
    /// Text for a struct or an array is not JSON.
    WriteJson: "write an array as [1, 2, 3] and a struct as {\"member\": 1}, or write one part by its path";
    /// The key of a map is a struct or an array, and its text is not JSON.
    WriteJsonKey: "write the key as JSON: a struct as {\"member\": 1}, an array as [1, 2, 3]";
    /// Text for a struct or an array needs the feature `json`.
    EnableJson: "enable the feature `json` of bpfvar, or give the values as Input::Array and Input::Struct";
    /// The map is not frozen.
    Freeze: "call Map::freeze";
    /// The map was not created with `BPF_F_RDONLY_PROG`.
    CreateReadOnly: "set MapBuilder::rdonly_prog where the map is created";
    /// A map that is `BPF_F_RDONLY_PROG` is to be created for writing.
    CreateReadOnlyArray: "create an Array<T, ReadOnly> or, with its contents, a Frozen<T>";
    /// Nothing has this name.
    ListPrograms: "`bpfvar list` and `bpftool prog` show the programs that are loaded";
    /// A value was changed in every try to copy it.
    ReadAgain: "read it again";
    /// A value has a writer inside, perhaps one that will never leave.
    ReadAgainOrWrite: "try again; if it stays so, a writer was cut short, and a new value for all of it ends that (SeqView::write, Var::set)";
    /// Another thread writes the value.
    TryAgain: "try again when it is done; if it lives in another PID namespace and has ended, nobody here can tell";
    /// The thread writes the value in the middle of writing it.
    WriteOnce: "change all of it in one closure";
    /// Programs that use a switch may sleep.
    AllowSleepable: "if none of them keeps the value while it sleeps, say so (SwitchWriter::allow_sleepable, `bpfvar set --allow-sleepable`)";
    /// There are too few slots for the CPUs of the machine.
    MoreSlots: "compile the program with -DBPFVAR_MAX_CPUS=N, or give the array map an entry for each CPU";
    /// A variable has a value for each CPU.
    ChooseCpu: "choose a CPU, [NUMBER]";
    /// A whole holds values that change as one each.
    ChooseMember: "change each of them by its path";
    /// A part of a value that changes as one is to be written alone.
    ChangeTogether: "change it by Var::set, or bind the whole value";
    /// The object is not a map.
    GiveMap: "give the descriptor or the pin of a map";
    /// The object is not a program.
    GiveProgram: "give the descriptor or the pin of a program";
    /// The object is not a link.
    GiveLink: "give the descriptor or the pin of a link";
    /// A type of one field stands for a scalar.
    MakeTransparent: "declare the struct #[repr(transparent)]";
    /// The Rust type is that of the value inside.
    WrapType: "declare it as the program does: Seq<T>, Switch<T> or SwitchWriter<T>, PerCpu<T>";
}
