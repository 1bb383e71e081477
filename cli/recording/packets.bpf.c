// SPDX-License-Identifier: MIT OR Apache-2.0
// What the recording shows: a program that counts packets, and how long they are.
#include "../../bpf/defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The start of the kernel's struct, and as much of it as is looked at. */
struct __sk_buff {
	__u32 len;
};

enum mode { COUNT, SAMPLE, PASS };

struct class {
	__u64 packets;
	__u64 bytes;
	__u32 longest;
};

struct config {
	enum mode mode;
	__u32 sample_each;
	bool classes;
} config = { .mode = COUNT, .sample_each = 10, .classes = true };
char interface[16] = "eth0";

__u64 seen;
__u64 passed;
__u64 bytes_hist[12];
struct class by_length[3];

static __always_inline __u32 log2(__u32 value)
{
	__u32 log = 0;

#pragma unroll
	for (__u32 bits = 8; bits; bits /= 2) {
		__u32 more = value >> bits ? bits : 0;

		value >>= more;
		log += more;
	}
	return log;
}

SEC("socket")
int packets(struct __sk_buff *skb)
{
	__u64 number = __sync_fetch_and_add(&seen, 1);
	__u32 len = skb->len, slot = log2(len), class = len < 128 ? 0 : len < 1024 ? 1 : 2;

	if (config.mode == PASS || (config.mode == SAMPLE && config.sample_each && number % config.sample_each)) {
		__sync_fetch_and_add(&passed, 1);
		return 0;
	}
	if (slot < 12)
		__sync_fetch_and_add(&bytes_hist[slot], 1);
	if (config.classes) {
		__sync_fetch_and_add(&by_length[class].packets, 1);
		__sync_fetch_and_add(&by_length[class].bytes, len);
		if (len > by_length[class].longest)
			by_length[class].longest = len;
	}
	return 0;
}
