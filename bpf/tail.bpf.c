// SPDX-License-Identifier: MIT OR Apache-2.0
// A section whose size is no multiple of its alignment: .data ends after 12 bytes, while its largest variable has 8.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

__u64 first = 0x1122334455667788;
__u32 last = 0x99aabbcc;

SEC("socket")
int sum(struct __sk_buff *skb)
{
	first += last;
	return first;
}
