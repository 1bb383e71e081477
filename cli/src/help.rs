//! The help that is about all commands.

pub(crate) const ABOUT: &str = "\
Shows and sets the global variables of running BPF programs.

bpfvar does for the global variables of running BPF programs, whoever loaded them, and for their array maps what sysctl does \
for the kernel's parameters. It takes names and types from BTF, and reads and writes through mapped memory.

  bpfvar list                           what there is
  bpfvar get count.sampling             count.sampling = 1
  bpfvar set count.sampling=100         count.sampling: 1 -> 100
  bpfvar watch count.packets -i 100ms   value, change, rate";

pub(crate) const SHORT_TARGETS: &str = "\
Targets:
  count.sampling            variable `sampling` of the program `count`
  count.config.limits[2]    a part of one
  count.bss.packets         by the name of a map; count.bss is all of that section
  'stats[3].packets'        entry 3 of the array map `stats`
  prog:12.sampling  map:7.packets  id:12  pid:4711.sampling  pin:/sys/fs/bpf/stats[0]
  '*.sampling'  'stats[*].packets'  'count.hist[0..4]'

Start with `bpfvar list`. `bpfvar --help` says more, `bpfvar COMMAND --help` has examples.";

pub(crate) const TARGETS: &str = "\
Targets:
  All commands name variables in the same way: NAME.PATH

  NAME is the name of a program or of a map. The kernel keeps 15 bytes of a name; the whole name of a program's function works \
too. Names may have dots (count.bss, .data.custom): every border between name and path is tried.

  PATH is a variable, its members behind dots, its elements in brackets:

    count.sampling                variable `sampling` of the program `count`
    count.config.limits[2].burst  a member of an element of a member
    count.bss.packets             variable `packets` of the map `count.bss`
    'stats[3].packets'            entry 3 of the array map `stats`
    count.func.calls              a static variable of a function `func`
    count.calls@16                of several `calls`, that at byte 16

  Shells know brackets, so quote them. Without PATH, the target is the whole program, the whole map or, as in count.bss or prog:12.bss, \
the whole section (unless a variable has its name).

  A name that no program and no map has may be that of the process which holds the programs, or of the object that they come from, as `bpfvar list` \
shows both: opensnoop.targ_failed.

  Programs and maps may share a name. If a target fits several variables, nothing is done, and all of them are listed with their \
ids and owners. What names one for sure:

    prog:12.sampling              by the id of a program
    map:7.sampling  map:7[3]      by the id of a map
    id:12.sampling                by the id of a program or a map
    prog:count.x  map:count.x     by name, but only programs, only maps
    pid:4711.sampling             by the process that holds the program
    pin:/sys/fs/bpf/stats[3]      by the path of a pin

  Patterns name several variables, for commands that take several (get, set, watch, and others): * and ? in names, [*] or a range in \
place of an index.

    '*.sampling'                  that of every program
    'count.*'                     all variables of the program `count`
    'stats[*].packets'            of all entries of the map `stats`
    'count.hist[0..4]'            elements 0 to 3; [4..] are the others
    'flows[*].packets'            of all entries of the hash `flows`

  The path of a pin ends at the first . or [ behind its last /.

  Maps that are reached by keys (hashes, also LRU and per CPU, and LPM tries) have their keys in the brackets: numbers and names of \
enumerators as they are, text in quotes, structs and arrays as JSON. Members that are not named are 0:

    'hits[5]'  'names[\"http\"]'  'flows[{\"port\": 80, \"proto\": \"TCP\"}].packets'

Values:
  Numbers are decimal, 0x1f, 0o17 or 0b101; enumerators are named; bools are true, false, on or off; floats are 1.5, 1e9, inf or \
nan; char arrays take text, a byte also 'a'; structs and arrays take JSON, and members that are not named stay as they are: \
'count.config={\"rate\": 5}'. What does not fit the type is refused, and then nothing is written.

JSON:
  With --json all output is valid JSON. Integers beyond ±2^53, which many readers would round, are decimal strings; so are \
\"NaN\", \"Infinity\" and \"-Infinity\". Pointers are strings of hexadecimal digits, enumerators are their names. `set` takes all \
of these as values.

  schema/bpfvar-1.json, in the package bpfvar-cli, is a JSON Schema of it. `bpfvar --version` names its version, 1. It changes when \
members are removed, renamed or mean something else. New members, new words such as those for access, and new kinds of lines of \
watch may come with any release: skip what you do not know.

Access:
  read-write: mapped; a write is one atomic store and leaves its neighbours alone.

  read-only: mapped; it can only be read. (const): it is declared const, and set when the program is loaded; to make it changeable, \
its author declares it without const. (kconfig): what the loader found out about the kernel. (frozen): somebody froze it.

  system call: it cannot be mapped, as sections created by aya or with static variables only; it can be read, but written only by \
`set --rewrite`.

  system call, a copy: an entry of a map that is reached by keys. Such maps cannot be mapped; they are copied and only read, and entries come \
and go meanwhile. All entries of a hash are copied thousands at a time; 10,000 take some milliseconds.

  All of it needs root (CAP_SYS_ADMIN).

Exit status:
  0 done, 1 failed, 2 usage.";

pub(crate) const APPLY: &str = "\
Examples:
  bpfvar apply                            the files of /etc/bpfvar.d and its kin
  bpfvar apply --check count.toml         names, types and ranges; writes nothing
  bpfvar apply --diff                     what would change; writes nothing
  bpfvar save count | bpfvar apply -      changes nothing
  bpfvar apply --wait 30s                 also programs that are loaded in the next 30 seconds
  bpfvar apply --follow                   a service: applies again whenever a program is loaded

Files:
  A file has a table for each program or map, and in it a line for each variable. `bpfvar save` writes such files; \
`bpfvar man bpfvar.d | man -l -` says all of the format.

    [count]
    sampling = 100
    config.mode = \"FAST\"
    \"config.limits[2]\" = { burst = 7 }

All or none:
  Names, types and ranges of all files are checked before anything is written. What is set for one program or map is then written \
all or none: if a write fails, those before it are undone. Other programs are not concerned. What has its value already is not \
written. Two settings of one variable are an error that names both places.

Programs that are loaded later:
  --wait and --follow look for new programs at every --interval, by one system call, however many programs there are; once in five \
seconds --follow lists all, to see which are gone. So a program gets its settings at most one interval, and the milliseconds that \
applying takes, after it was loaded. While two programs share a name, neither gets them.

  With --follow a program that fails does not stop the others; it is told once, and tried again every second. SIGHUP reads the files \
again, SIGTERM and SIGINT end it.

Exit status:
  0 if all is as the files say; 1 if something failed or is not loaded, or if --diff has found a difference; 2 usage.

JSON:
  --json prints \"written\" (false if nothing could be), \"changed\" (target, old, new, file, line), \"unchanged\", \"failed\" (with error), \
\"not_written\" (right, but another setting of the program failed) and \"not_loaded\"; with --follow one object a line.";

/// The page of the file format.
pub(crate) const SETTINGS: &str = "\
Name:
  bpfvar.d - settings of BPF programs

Synopsis:
    /etc/bpfvar.d/*.toml
    /run/bpfvar.d/*.toml
    /usr/local/lib/bpfvar.d/*.toml
    /usr/lib/bpfvar.d/*.toml

Description:
  These files say which values variables of BPF programs and entries of array maps shall have. `bpfvar apply` sets them, once, or \
with --follow whenever a program is loaded. `bpfvar save` writes such a file of what is loaded now.

  Files are read in the order of their names, whichever directory they are in. A file hides those of its name in the directories \
behind its own: what a package brings in /usr/lib/bpfvar.d is replaced by a file in /etc/bpfvar.d, and switched off by a link to \
/dev/null there. Names that start with a dot or do not end in .toml are not read.

  Two settings of one variable, or of parts of one that overlap, are an error that names both places, in two files as in one. No \
order decides between them. Parts that do not overlap, such as two members of a struct, may be set in different files.

Format:
  The files are TOML. The keys on the way to a value, joined by dots, are a target, as all commands of bpfvar take it:

    [count]                            # a program or a map, by its name
    sampling = 100                     # count.sampling
    config.mode = \"FAST\"               # count.config.mode
    \"config.limits[2].burst\" = 7       # what has brackets needs quotes
    \"calls@16\" = 1                     # of several `calls`, that at byte 16
    first.calls = 0                    # static variable of a function `first`

    [limiter.config]                   # or so: limiter.config.rate
    rate = 1000

    [\"count.bss\"]                      # a section
    packets = 0

    [\"map:stats\"]                      # a map and no program
    \"[3]\".packets = 0                  # its entry 3

    [\"pin:/sys/fs/bpf/stats\"]          # by the path of a pin
    \"[0]\" = { packets = 0, drops = 0 }

  An id, as in [\"prog:12\"], is that of one load; a name holds for the next load, too. If several programs that are loaded share a \
name, that is an error.

Values:
    integer, bitfield     100, -5, 0x1f, 0o17, 0b101; in quotes, too
    bool                  true, false
    enum                  \"FAST\", or a number
    float, double         1.5, 1e9, inf, nan, or an integer
    pointer               \"0xffff888012345678\"
    char [N]              \"text\" of at most N - 1 bytes, or [116, 101, ...]: all N bytes as numbers
    array                 [1, 2, 3]: all elements; \"x[3]\" sets one
    struct                { rate = 5 } or x.rate = 5; members that are not named keep their values
    union                 one member

  TOML promises 64 bits with a sign. bpfvar takes integers of up to 128 bits, with or without quotes; `bpfvar save` quotes those that \
other readers would refuse. Values are checked by the variable's type, as by `bpfvar set`: what does not fit is refused.

Applying:
  What starts with one name is one unit, whichever files it is in: it is written all or none. Before that everything of all units is \
checked. If a write fails, what was written before it in its unit is undone. If bpfvar is killed (SIGKILL) in the middle, nothing \
undoes it. Of variables that are declared by BPFVAR_SWITCH, all that is set changes as one.

  What has its value already is not written, and so applying twice changes nothing.

  What cannot be set while a program runs is refused with the reason. .rodata is frozen: variables that are declared const are set \
by the loader, before it loads the program. Sections that cannot be mapped are written by `bpfvar apply --rewrite` only, which \
rewrites them whole. Per-CPU array maps are only read.

  Some loaders store values after they have loaded a program. What bpfvar has set before that is lost; bpfvar-follow.service does \
not see it, as nothing is loaded. Let such a loader run `bpfvar apply` when it is done.

See also:
  bpfvar(1), bpfvar-apply(1), bpfvar-save(1), sysctl.d(5)
";
