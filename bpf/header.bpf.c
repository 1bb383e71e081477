// SPDX-License-Identifier: MIT OR Apache-2.0
// What `bpf/check-header` compiles: everything in bpfvar.bpf.h, with libbpf's headers as users have them. Never committed as an object.
#ifdef WITH_VMLINUX
#include "vmlinux.h"
#else
#include <linux/bpf.h>
#endif
#include <bpf/bpf_helpers.h>
#include "bpfvar.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct counts {
	__u64 packets;
	__u64 bytes;
	__u32 drops;
};

struct settings {
	__u64 rate;
	char name[16];
};

BPFVAR_PERCPU(BPFVAR_SEQ(struct counts)) counts;
BPFVAR_PERCPU(__u64) runs;
BPFVAR_SEQ(struct settings) seq = BPFVAR_SEQ_INIT({ .rate = 5 });
BPFVAR_SWITCH(struct settings) settings = BPFVAR_SWITCH_INIT({ .rate = 5, .name = "eth0" });

/* A sequence lock in an array map, whose address the verifier knows less of. */
typedef BPFVAR_SEQ(struct counts) counts_seq;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, counts_seq);
} entries SEC(".maps");

SEC("xdp")
int use_all(struct xdp_md *ctx)
{
	__auto_type slot = bpfvar_this_cpu(&counts);
	const struct settings *c = bpfvar_current(&settings);
	counts_seq *entry;
	__u64 *run = bpfvar_this_cpu(&runs);
	struct settings copy;
	struct counts *s;
	__u32 key = 1;

	if (run)
		(*run)++;
	if (slot) {
		s = bpfvar_seq_begin(slot);
		if (s) {
			s->packets += c->rate;
			s->drops += c->name[0];
			bpfvar_seq_end(slot);
		}
	}
	if (bpfvar_seq_read(&seq, &copy) && copy.rate != 5)
		return XDP_DROP;
	entry = bpf_map_lookup_elem(&entries, &key);
	if (entry) {
		s = bpfvar_seq_begin(entry);
		if (s) {
			s->bytes++;
			bpfvar_seq_end(entry);
		}
	}
	return XDP_PASS;
}

/* Two that are open at once. */
SEC("xdp")
int nest(struct xdp_md *ctx)
{
	struct settings *outer = bpfvar_seq_begin(&seq);
	counts_seq *entry;
	struct counts *s;
	__u32 key = 2;

	if (!outer)
		return XDP_PASS;
	entry = bpf_map_lookup_elem(&entries, &key);
	s = entry ? bpfvar_seq_begin(entry) : NULL;
	if (s) {
		s->packets += outer->rate;
		bpfvar_seq_end(entry);
	}
	outer->rate++;
	bpfvar_seq_end(&seq);
	return XDP_PASS;
}

#ifdef FORGETS_NULL
SEC("xdp")
int forgets_null(struct xdp_md *ctx)
{
	struct settings *s = bpfvar_seq_begin(&seq);

	s->rate++;
	bpfvar_seq_end(&seq);
	return XDP_PASS;
}
#endif

#ifdef FORGETS_RESULT
SEC("xdp")
int forgets_result(struct xdp_md *ctx)
{
	struct settings copy;

	bpfvar_seq_read(&seq, &copy);
	return copy.rate;
}
#endif
