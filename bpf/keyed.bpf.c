// SPDX-License-Identifier: MIT OR Apache-2.0
// Maps that are reached by keys, with keys and values of all sorts.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum proto { ICMP = 1, TCP = 6, UDP = 17 };

// Two bytes of padding before the last member.
struct flow {
	__u32 address;
	__u16 port;
	enum proto proto;
};

struct traffic {
	__u64 packets;
	__u64 bytes;
};

struct hist {
	__u32 slots[16];
};

struct prefix {
	__u32 prefixlen;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, struct flow);
	__type(value, struct traffic);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, char[8]);
	__type(value, enum proto);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct hist);
} hists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __s32);
	__type(value, struct traffic);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, __u64);
} hits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} many SEC(".maps");

__u64 runs;
__u64 size = 100;

// Run number N: one more packet of `size` bytes in flow N % 4, in the counters of -1, one more hit of 5; one more in slot N % 16 of
// histogram N % 2; route 10.N % 4.0.0/16 leads to N; many[N] becomes N * 2.
SEC("socket")
int fill(struct __sk_buff *skb)
{
	__u64 number = __sync_fetch_and_add(&runs, 1), doubled = number * 2, five = 5, one = 1, *hit;
	struct flow flow = {};
	struct traffic first = { 1, size }, *traffic;
	struct prefix prefix = { 16, { 10, number % 4 } };
	struct hist none = {}, *hist;
	__u32 route = number, half = number % 2, key = number;
	char name[8] = "http";
	enum proto proto = TCP;
	__s32 all = -1;

	flow.address = number % 4;
	flow.port = 80;
	flow.proto = TCP;
	traffic = bpf_map_lookup_elem(&flows, &flow);
	if (traffic) {
		__sync_fetch_and_add(&traffic->packets, 1);
		__sync_fetch_and_add(&traffic->bytes, size);
	} else {
		bpf_map_update_elem(&flows, &flow, &first, BPF_ANY);
	}
	traffic = bpf_map_lookup_elem(&counters, &all);
	if (traffic) {
		traffic->packets += 1;
		traffic->bytes += size;
	} else {
		bpf_map_update_elem(&counters, &all, &first, BPF_ANY);
	}
	hit = bpf_map_lookup_elem(&hits, &five);
	if (hit)
		*hit += 1;
	else
		bpf_map_update_elem(&hits, &five, &one, BPF_ANY);
	hist = bpf_map_lookup_elem(&hists, &half);
	if (!hist) {
		bpf_map_update_elem(&hists, &half, &none, BPF_ANY);
		hist = bpf_map_lookup_elem(&hists, &half);
	}
	if (hist)
		__sync_fetch_and_add(&hist->slots[number % 16], 1);
	bpf_map_update_elem(&names, name, &proto, BPF_ANY);
	bpf_map_update_elem(&routes, &prefix, &route, BPF_ANY);
	bpf_map_update_elem(&many, &key, &doubled, BPF_ANY);
	return number;
}
