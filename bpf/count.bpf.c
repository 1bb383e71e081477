// SPDX-License-Identifier: MIT OR Apache-2.0
// The example: a program that counts, and the globals that steer it.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum mode { SLOW, FAST, OFF };

struct limit {
	__u32 burst;
	__s32 delta;
};

struct config {
	__u64 rate;
	enum mode mode;
	struct limit limits[4];
	bool enabled;
};

// .data
__u32 sampling = 1;
struct config config = {
	.rate = 1000,
	.mode = FAST,
	.limits = { { 10, -1 }, { 20, -2 }, { 30, -3 }, { 40, -4 } },
	.enabled = true,
};
double ratio = 0.75;
char label[16] = "eth0";

// .bss: the program adds to packets and hist, and never writes neighbour and knob.
__u64 packets;
__u64 neighbour;
__u8 knob;
__u64 hist[16];

// .rodata
const volatile __u32 version = 3;

// Counts every run; while enabled, every sampling-th one goes to hist. Returns the rate, or 0 while the mode is OFF.
SEC("socket")
int count(struct __sk_buff *skb)
{
	__u64 number = packets;

	// What an addition fetches is not used: that needs Linux 5.12.
	__sync_fetch_and_add(&packets, 1);
	if (version && config.enabled && sampling && number % sampling == 0)
		__sync_fetch_and_add(&hist[number % 16], 1);
	return config.mode == OFF ? 0 : config.rate;
}
