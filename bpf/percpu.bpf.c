// SPDX-License-Identifier: MIT OR Apache-2.0
// Per-CPU arrays of several entries, in which entries and CPUs are told apart.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct hits {
	__u64 hits;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} cpu_cnt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct hits);
} parr SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 10001);
	__type(key, __u32);
	__type(value, __u64);
} wide SEC(".maps");

// Run number N on a CPU: N in entry 0 of cpu_cnt, N hits of 100 bytes each in entry 1 of parr, 1 in the last entry of wide.
SEC("socket")
int count_here(struct __sk_buff *skb)
{
	__u32 first = 0, second = 1, last = 10000;
	__u64 *count = bpf_map_lookup_elem(&cpu_cnt, &first);
	struct hits *hits = bpf_map_lookup_elem(&parr, &second);

	if (count)
		*count += 1;
	if (hits) {
		hits->hits += 1;
		hits->bytes += 100;
	}
	count = bpf_map_lookup_elem(&wide, &last);
	if (count)
		*count = 1;
	return 0;
}
