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

  A name that no program and no map has may be that of the process which holds the programs, as `bpfvar list` shows it: \
opensnoop.targ_failed.

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
