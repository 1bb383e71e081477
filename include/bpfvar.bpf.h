/* SPDX-License-Identifier: MIT */
/*
 * bpfvar.bpf.h: values that change together, for BPF programs. Copy it beside your program. It is MIT licensed, so programs under
 * the GPL may include it. Include vmlinux.h or <linux/bpf.h>, and <bpf/bpf_helpers.h>, before it. clang 14 or later.
 *
 * The other side of the memory is the Rust crate `bpfvar` (Seq, Switch, PerCpu) and its tool, which know these declarations by
 * BTF: compile with -g.
 *
 *   BPFVAR_SEQ(type)      a program writes, user space reads: each copy is one that was there at one moment. Also the other way.
 *   BPFVAR_SWITCH(type)   user space writes, programs read: all that a program reads in one run is of one version.
 *   BPFVAR_PERCPU(type)   a value for each CPU, on cache lines of its own. Its type can be a BPFVAR_SEQ.
 *
 * What orders memory
 * ------------------
 *
 *   BPF instruction                      x86-64                   arm64                               kernel
 *   plain load, store of 1 to 8 bytes    in order, but a load may   none; an address that depends on    any
 *                                        pass an earlier store      a load is used after that load
 *   atomic add, result unused            full barrier               none                                any
 *   atomic add with BPF_FETCH            full barrier               full barrier                        5.12; arm64 JIT: 5.18
 *   load_acquire, store_release          as plain                   acquire, release                    6.15, clang 20, -mcpu=v4
 *
 * Compiled with -D__TARGET_ARCH_x86, as libbpf's tracing macros want it on x86-64, this header uses the first two and works on
 * Linux 5.10. Otherwise it uses the third, which works on x86-64 and arm64, from Linux 5.12 on; an older kernel refuses the program. Never load
 * an object that was compiled with -D__TARGET_ARCH_x86 on another machine. The fourth is not used: what it orders is not enough
 * for a sequence lock, and kernels before 6.15 refuse it. BPFVAR_SWITCH and BPFVAR_PERCPU need no barrier on any machine.
 */
#ifndef BPFVAR_BPF_H
#define BPFVAR_BPF_H

#define BPFVAR_INLINE static inline __attribute__((always_inline, unused))

#ifdef __TARGET_ARCH_x86

BPFVAR_INLINE void bpfvar_add_(__u64 *word, __u64 amount)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" :: "r"(word), "r"(amount) : "memory");
}

BPFVAR_INLINE __u64 bpfvar_load_(__u64 *word)
{
	__u64 value;

	asm volatile("%0 = *(u64 *)(%1 + 0)" : "=r"(value) : "r"(word) : "memory");
	return value;
}

#else

/* The compiler must not know the amount, as it would make an addition of 0 cheaper, nor see that the result is not used. */
BPFVAR_INLINE __u64 bpfvar_fetch_add_(__u64 *word, __u64 amount)
{
	asm volatile("" : "+r"(amount) :: "memory");
	amount = __sync_fetch_and_add(word, amount);
	asm volatile("" : "+r"(amount) :: "memory");
	return amount;
}

BPFVAR_INLINE void bpfvar_add_(__u64 *word, __u64 amount)
{
	bpfvar_fetch_add_(word, amount);
}

BPFVAR_INLINE __u64 bpfvar_load_(__u64 *word)
{
	return bpfvar_fetch_add_(word, 0);
}

#endif

/*
 * Sequence lock
 * -------------
 *
 *   struct my_stats { __u64 packets, bytes; };
 *
 *   BPFVAR_SEQ(struct my_stats) my_stats;
 *
 *   struct my_stats *s = bpfvar_seq_begin(&my_stats);
 *   if (s) {
 *           s->packets += 1;
 *           s->bytes += len;
 *           bpfvar_seq_end(&my_stats);
 *   }
 *
 * bpfvar_seq_begin gives the value to change, or NULL if another writer is inside: a program on another CPU, or the one that this
 * program interrupted. Then nothing may be changed, and bpfvar_seq_end must not be called. A program cannot wait, so count what
 * was left out, or give each CPU a value of its own, which is the normal form:
 *
 *   BPFVAR_PERCPU(BPFVAR_SEQ(struct my_stats)) my_stats;
 *
 *   __auto_type seq = bpfvar_this_cpu(&my_stats);
 *   struct my_stats *s;
 *
 *   if (!seq)
 *           return 0;
 *   s = bpfvar_seq_begin(seq);
 *   if (s) {
 *           ...
 *           bpfvar_seq_end(seq);
 *   }
 *
 * There, too, bpfvar_seq_begin may give NULL: an interrupt, an NMI or a task that preempts the program runs on the same CPU.
 *
 * In an array map with BPF_F_MMAPABLE in map_flags, such a type is the value. Give it a name, for the map and for its entries:
 *
 *   typedef BPFVAR_SEQ(struct my_stats) my_stats_seq;
 *
 *   struct {
 *           __uint(type, BPF_MAP_TYPE_ARRAY);
 *           __uint(map_flags, BPF_F_MMAPABLE);
 *           __uint(max_entries, 4);
 *           __type(key, __u32);
 *           __type(value, my_stats_seq);
 *   } many SEC(".maps");
 *
 *   my_stats_seq *entry = bpf_map_lookup_elem(&many, &key);
 *   struct my_stats *s = entry ? bpfvar_seq_begin(entry) : NULL;
 *
 * What a writer must do: after bpfvar_seq_begin gave a value, reach bpfvar_seq_end on every path, with no return, tail call,
 * bpf_throw or bpf_loop that is left early between them; change the value between the two only, and all of it that way. A writer that
 * is cut short leaves the value locked: reading says so, and further calls of bpfvar_seq_begin give NULL, until user space
 * writes all of it (Rust: SeqView::write; tool: bpfvar set).
 *
 * Cost: two atomic additions.
 *
 * How it works: a writer adds 1 to `begin`, and then to `end` when it is done. A reader loads `end`, copies the value, loads
 * `begin`: if both are the same number, nobody was inside from the first load to the last.
 */
struct bpfvar_seq {
	__u64 begin;	/* writers that came */
	__u64 end;	/* writers that left */
	__u64 writer;	/* the thread of user space that writes; programs leave it alone */
};

#define BPFVAR_SEQ(type)				\
	struct {					\
		struct bpfvar_seq bpfvar_seq;		\
		__typeof__(type) value;			\
	}

/* An initial value: BPFVAR_SEQ(struct my_config) my_config = BPFVAR_SEQ_INIT({ .rate = 5 }); */
#define BPFVAR_SEQ_INIT(...) { .value = __VA_ARGS__ }

BPFVAR_INLINE int bpfvar_enter_(struct bpfvar_seq *seq)
{
	__u64 end;

	bpfvar_add_(&seq->begin, 1);
	end = bpfvar_load_(&seq->end);
	if (bpfvar_load_(&seq->begin) - end == 1)
		return 1;
	bpfvar_add_(&seq->end, 1);
	return 0;
}

/*
 * The barrier hides from the compiler that the pointer may be NULL. It would make one condition of this and the program's own
 * check, which the verifier does not follow, and leave out a check that the program forgot, which the verifier then cannot miss.
 */
#define bpfvar_seq_begin(seq) ({						\
	__typeof__(seq) bpfvar_begin_ = (seq);					\
	__typeof__(&bpfvar_begin_->value) bpfvar_inside_ = 0;			\
										\
	if (bpfvar_enter_(&bpfvar_begin_->bpfvar_seq))				\
		bpfvar_inside_ = &bpfvar_begin_->value;				\
	asm volatile("" : "+r"(bpfvar_inside_));				\
	bpfvar_inside_;								\
})

#define bpfvar_seq_end(seq) bpfvar_add_(&(seq)->bpfvar_seq.end, 1)

/*
 * Copies the value, which user space or another program writes, to *to. Gives 1, or 0 if in BPFVAR_SEQ_TRIES tries a writer was
 * always inside; *to is then not to be used. The program may have interrupted the writer, so more tries need not help.
 *
 *   struct my_config c;
 *   if (!bpfvar_seq_read(&my_config, &c))
 *           return 0;
 *
 * The verifier walks through all tries, each of which copies the value. The value can have 1,024 bytes: for more, clang says "A call
 * to built-in function 'memcpy' is not supported"; and a program's stack has 512. For large values, or where a program must not
 * fail, use a BPFVAR_SWITCH. Where this file uses fetching additions (see above), reading adds 0 to the numbers: the program must
 * be allowed to write the map, and takes the cache line from other CPUs.
 */
#ifndef BPFVAR_SEQ_TRIES
#define BPFVAR_SEQ_TRIES 8
#endif

BPFVAR_INLINE __attribute__((warn_unused_result)) int bpfvar_is_read_(int done)
{
	return done;
}

#define bpfvar_seq_read(seq, to) bpfvar_is_read_(({				\
	__typeof__(seq) bpfvar_from_ = (seq);					\
	__typeof__(&bpfvar_from_->value) bpfvar_to_ = (to);			\
	int bpfvar_try_, bpfvar_done_ = 0;					\
										\
	for (bpfvar_try_ = 0; bpfvar_try_ < BPFVAR_SEQ_TRIES; bpfvar_try_++) {	\
		__u64 bpfvar_end_ = bpfvar_load_(&bpfvar_from_->bpfvar_seq.end);	\
										\
		__builtin_memcpy(bpfvar_to_, &bpfvar_from_->value,		\
				 sizeof(bpfvar_from_->value));			\
		if (bpfvar_load_(&bpfvar_from_->bpfvar_seq.begin) == bpfvar_end_) {	\
			bpfvar_done_ = 1;					\
			break;							\
		}								\
	}									\
	bpfvar_done_;								\
}))

/*
 * Settings that switch as one
 * ---------------------------
 *
 *   struct my_config { __u64 rate; __u32 mode; __u32 burst; };
 *
 *   BPFVAR_SWITCH(struct my_config) my_config = BPFVAR_SWITCH_INIT({ .rate = 1000, .mode = 1 });
 *
 *   const struct my_config *c = bpfvar_current(&my_config);
 *   if (c->mode == 1) ... c->rate ...
 *
 * All that is read through `c` is of one version, however often user space switches meanwhile. Call bpfvar_current once a run: a
 * second call may give the next version. `c` may be kept until the run ends, and no longer.
 *
 * There are two slots. User space writes the one that is not in use, makes it the current one by one store, and waits until no
 * program that began before can still read the other. The kernel cannot wait that way for what may sleep: sleepable programs
 * (fentry.s, lsm.s, uprobe.s, syscall, ...) and callbacks of bpf_wq and bpf_task_work. So do not use a switch there. Or hold
 * bpf_rcu_read_lock() (Linux 6.2) from bpfvar_current to the last look at `c`, and tell whoever switches (Rust: allow_sleepable;
 * tool: --allow-sleepable). Nor put a switch into the inner map of a map of maps: user space cannot see which programs use it.
 *
 * Cost: one load and a multiplication. Programs must not write it.
 */
struct bpfvar_switch {
	__u64 version;	/* its lowest bit is the current slot */
	__u64 settled;	/* the version before which no program can still be */
	__u64 writer;	/* the thread of user space that writes */
};

#define BPFVAR_SWITCH(type)				\
	struct {					\
		struct bpfvar_switch bpfvar_switch;	\
		__typeof__(type) slots[2];		\
	}

#define BPFVAR_SWITCH_INIT(...) { .slots = { __VA_ARGS__ } }

/*
 * The address depends on the version that was loaded, and the compiler must not make a branch of that: behind a branch, a load
 * may be done early.
 */
#define bpfvar_current(sw) ({								\
	__typeof__(sw) bpfvar_sw_ = (sw);						\
	__u64 bpfvar_slot_ = *(const volatile __u64 *)&bpfvar_sw_->bpfvar_switch.version & 1;	\
											\
	asm volatile("" : "+r"(bpfvar_slot_));						\
	(const __typeof__(bpfvar_sw_->slots[0]) *)					\
		((const char *)bpfvar_sw_->slots + bpfvar_slot_ * sizeof(bpfvar_sw_->slots[0]));	\
})

/*
 * A value for each CPU
 * --------------------
 *
 *   struct my_counters { __u64 packets, bytes; };
 *
 *   BPFVAR_PERCPU(struct my_counters) my_counters;
 *
 *   struct my_counters *c = bpfvar_this_cpu(&my_counters);
 *   if (c)
 *           c->packets++;
 *
 * bpfvar_this_cpu gives NULL on a CPU whose number is BPFVAR_MAX_CPUS or more. User space checks that no CPU of the machine is,
 * and says so. A slot takes a multiple of BPFVAR_CACHE_LINE bytes, so that no two CPUs write to one cache line. Both can be defined
 * before this file is included, or by -D.
 *
 * A program that is interrupted in the middle of `c->packets++` by one that does the same on this CPU loses one of both. Where
 * that can be, use __sync_fetch_and_add(&c->packets, 1), which is cheap on a line that no other CPU uses.
 */
#ifndef BPFVAR_MAX_CPUS
#define BPFVAR_MAX_CPUS 256
#endif
#ifndef BPFVAR_CACHE_LINE
#define BPFVAR_CACHE_LINE 64
#endif

#define BPFVAR_PERCPU(type)							\
	struct {								\
		struct {							\
			__typeof__(type) value;					\
		} __attribute__((aligned(BPFVAR_CACHE_LINE))) bpfvar_percpu[BPFVAR_MAX_CPUS];	\
	}

/*
 * Older verifiers want the register that was compared in the address, and not a copy of it: hence the second barrier. The third is
 * that of bpfvar_seq_begin.
 */
#define bpfvar_this_cpu(percpu) ({							\
	__typeof__(percpu) bpfvar_all_ = (percpu);					\
	__typeof__(&bpfvar_all_->bpfvar_percpu[0].value) bpfvar_value_ = 0;		\
	__u64 bpfvar_cpu_ = (__u32)bpf_get_smp_processor_id();				\
											\
	asm volatile("" : "+r"(bpfvar_cpu_));						\
	if (bpfvar_cpu_ < sizeof(bpfvar_all_->bpfvar_percpu) / sizeof(bpfvar_all_->bpfvar_percpu[0])) {	\
		asm volatile("" : "+r"(bpfvar_cpu_));					\
		bpfvar_value_ = &bpfvar_all_->bpfvar_percpu[bpfvar_cpu_].value;		\
	}										\
	asm volatile("" : "+r"(bpfvar_value_));						\
	bpfvar_value_;									\
})

#endif
