// SPDX-License-Identifier: MIT OR Apache-2.0
// Array maps whose values BTF describes, mappable or not, beside maps that must not be taken for them.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct stats {
	__u64 packets;
	__u32 drops;
	__u32 mode;
	__u64 sizes[4];
};

// 12 bytes: entries sit 16 apart.
struct triple {
	__u32 low;
	__s32 middle;
	__u16 high;
	bool set;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct stats);
} stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct stats);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct triple);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} scalar SEC(".maps");

// Its name in the kernel ends after 15 characters.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} a_map_with_a_long_name SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, struct stats);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stats);
} percpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u64);
	__type(value, __u64);
} percpu_hash SEC(".maps");

// The number of runs, in every map: in all entries of stats and numbers, in the last entry of the other arrays, at key 7 of
// the hashes.
SEC("socket")
int use_maps(struct __sk_buff *skb)
{
	__u32 first = 0, last = 7, one = 1;
	__u64 key = 7, runs = 1, *total;
	struct stats *entry, sum = {};
	__u32 *word;

	total = bpf_map_lookup_elem(&scalar, &last);
	if (!total)
		return -1;
	runs = *total + 1;
	__sync_fetch_and_add(total, 1);

	// The verifier follows a register better than what a helper was given the address of.
	for (__u32 index = 0; index < 4; index++) {
		__u32 at = index;

		entry = bpf_map_lookup_elem(&stats, &at);
		if (!entry)
			return -1;
		__sync_fetch_and_add(&entry->packets, 1);
		entry->drops = index;
		entry->mode = runs % 3;
		entry->sizes[index] = runs;
	}
	for (__u32 index = 0; index < 5; index++) {
		__u32 at = index;
		struct triple *number = bpf_map_lookup_elem(&numbers, &at);

		if (!number)
			return -1;
		number->low = runs;
		number->middle = -(__s32)index;
		number->high = 0x100 + index;
		number->set = true;
	}
	sum.packets = runs;
	bpf_map_update_elem(&plain, &one, &sum, BPF_ANY);
	bpf_map_update_elem(&hash, &key, &sum, BPF_ANY);
	bpf_map_update_elem(&percpu_hash, &key, &runs, BPF_ANY);
	entry = bpf_map_lookup_elem(&percpu, &first);
	if (entry)
		entry->packets = runs;
	word = bpf_map_lookup_elem(&a_map_with_a_long_name, &first);
	if (word)
		*word = runs;
	return runs;
}
