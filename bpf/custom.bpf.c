// SPDX-License-Identifier: MIT OR Apache-2.0
// A .bss of one's own: an object by itself, because libbpf 1.1 refuses it.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

__u64 plain;
__u16 custom_bss[3] SEC(".bss.custom");

SEC("socket")
int fill(struct __sk_buff *skb)
{
	plain++;
	custom_bss[1] = plain;
	return plain;
}
