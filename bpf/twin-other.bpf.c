// SPDX-License-Identifier: MIT OR Apache-2.0
// The other half of twin.bpf.o.
#include "defs.h"

static __u64 calls = 200;

__noinline int other(void)
{
	return calls++;
}
