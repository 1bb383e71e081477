// SPDX-License-Identifier: MIT OR Apache-2.0
// Values that change together, and the same without: what the tests of the sequence lock, the switch and the slots a CPU run.
#include "defs.h"
#include "../include/bpfvar.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// All words of a value are the same number, always.
struct block {
	__u64 words[8];
};

enum mode { SLOW, FAST, OFF };

struct config {
	__u64 rate;
	enum mode mode;
	__u32 burst;
	__u64 words[8];
};

struct counters {
	__u64 packets;
	__u64 bytes;
};

BPFVAR_SEQ(struct block) shared;
BPFVAR_PERCPU(BPFVAR_SEQ(struct block)) blocks;
// The control: the same without a protocol.
struct block plain;

BPFVAR_SWITCH(struct config) config = BPFVAR_SWITCH_INIT({ .rate = 1000, .mode = FAST, .burst = 10 });
struct config bare = { .rate = 1000, .mode = FAST, .burst = 10 };
BPFVAR_SEQ(struct config) settings = BPFVAR_SEQ_INIT({ .rate = 1000, .mode = FAST, .burst = 10 });

BPFVAR_PERCPU(struct counters) counters;

// Writers of `shared` and `blocks` that found another inside.
__u64 refused;
// Runs that saw two versions of `config`, of `bare`, of `settings`; and those that could not read `settings`.
__u64 torn_config;
__u64 torn_bare;
__u64 torn_settings;
__u64 unread;
__u64 runs;

static __always_inline void fill(struct block *block, __u64 number)
{
#pragma unroll
	for (int i = 0; i < 8; i++)
		((volatile struct block *)block)->words[i] = number;
}

// One value for all CPUs: every run adds 1 to each of its words, unless another one is inside.
SEC("socket")
int write_shared(struct __sk_buff *skb)
{
	struct block *block = bpfvar_seq_begin(&shared);

	if (!block) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	fill(block, block->words[0] + 1);
	bpfvar_seq_end(&shared);
	return 1;
}

SEC("socket")
int write_blocks(struct __sk_buff *skb)
{
	__auto_type seq = bpfvar_this_cpu(&blocks);
	struct block *block;

	if (!seq)
		return 0;
	block = bpfvar_seq_begin(seq);
	if (!block) {
		__sync_fetch_and_add(&refused, 1);
		return 0;
	}
	fill(block, block->words[0] + 1);
	bpfvar_seq_end(seq);
	return 1;
}

SEC("socket")
int write_plain(struct __sk_buff *skb)
{
	fill(&plain, plain.words[0] + 1);
	return 1;
}

// A writer that never leaves.
SEC("socket")
int cut_short(struct __sk_buff *skb)
{
	struct block *block = bpfvar_seq_begin(&shared);

	if (block)
		block->words[0]++;
	return block != 0;
}

// Whether rate, burst and all words are the same number. A word each is read early and late.
static __always_inline int same(const volatile struct config *c)
{
	__u64 rate = c->rate;
	int same = 1;

#pragma unroll
	for (int i = 0; i < 8; i++)
		same &= c->words[i] == rate;
	same &= c->burst == (__u32)rate;
	return same & (c->rate == rate);
}

SEC("socket")
int read_config(struct __sk_buff *skb)
{
	const struct config *c = bpfvar_current(&config);

	__sync_fetch_and_add(&runs, 1);
	if (!same(c))
		__sync_fetch_and_add(&torn_config, 1);
	return c->rate;
}

SEC("socket")
int read_bare(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&runs, 1);
	if (!same(&bare))
		__sync_fetch_and_add(&torn_bare, 1);
	return bare.rate;
}

SEC("socket")
int read_settings(struct __sk_buff *skb)
{
	struct config c;

	__sync_fetch_and_add(&runs, 1);
	if (!bpfvar_seq_read(&settings, &c)) {
		__sync_fetch_and_add(&unread, 1);
		return 0;
	}
	if (!same(&c))
		__sync_fetch_and_add(&torn_settings, 1);
	return c.rate;
}

SEC("socket")
int count_packet(struct __sk_buff *skb)
{
	struct counters *c = bpfvar_this_cpu(&counters);

	if (!c)
		return 0;
	c->packets += 1;
	c->bytes += 100;
	return 1;
}
