// SPDX-License-Identifier: MIT OR Apache-2.0
// One half of twin.bpf.o; twin-other.bpf.c is the other. Names here are those of count.bpf.c, so that a name alone does not
// tell which is meant while both are loaded; and both halves have a static variable `calls`, so that one section holds two
// variables of one name.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

__u32 sampling = 2;
__u64 packets;

static __u64 calls = 100;

int other(void);

SEC("socket")
int count(struct __sk_buff *skb)
{
	calls++;
	__sync_fetch_and_add(&packets, sampling);
	return other() + calls;
}
