// SPDX-License-Identifier: MIT OR Apache-2.0
// Types that are not the same in Rust as in C by themselves, and two programs that use different sections: what code is generated
// from.
#include "defs.h"
#include "../include/bpfvar.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define __aligned(bytes) __attribute__((aligned(bytes)))

// Longer than its members need, and at an offset that only this explains.
struct line {
	__u64 hits;
	__u32 misses;
} __aligned(64);
struct cache {
	__u8 tag;
	struct line lines[2];
} cache = { 1, { { 2, 3 }, { 4, 5 } } };
// Padding in the middle, and at the end.
struct spread {
	__u16 first;
	__u32 second __aligned(8);
	__u16 third;
	__u32 : 32;
} spread = { 6, 7, 8 };

// Nothing but the first member is aligned. No floats: the kernel refuses BTF with one that is not.
enum unit { METRES, FEET = -3 };
struct point {
	__s32 x, y;
};
struct record {
	__u8 kind;
	__u32 length;
	__s16 level;
	enum unit unit;
	struct point at;
	__u16 marks[2];
	bool on;
	__u32 low : 5, high : 11;
	enum unit other : 4;
	__s64 far : 52;
	__u64 end;
} __packed record = { 9, 0x0a0b0c0d, -258, FEET, { 10, -11 }, { 12, 13 }, true, 14, 1500, FEET, -15, 55 };
// Packed, and yet all is where Rust has it; the other way round in what holds it.
struct tight {
	__u32 number;
	__u16 half;
	__u16 other;
} __packed;
struct holder {
	struct tight good;
	__u8 odd;
	struct tight bad;
} __packed holder = { { 16, 17, 18 }, 19, { 20, 21, 22 } };

// Types that only a typedef or a member names.
typedef struct {
	__u32 id;
	char name[12];
} peer_t;
typedef enum { UP, DOWN = 255 } state_t;
struct peers {
	peer_t first;
	peer_t rest[2];
	state_t state;
	struct {
		__u16 port;
		enum { TCP = 6, UDP = 17 } protocol;
	} via[2];
} peers = { { 23, "one" }, { { 24, "two" }, { 25, "three" } }, DOWN, { { 26, TCP }, { 27, UDP } } };

// What shares its bytes, with and without a name, and what has none.
union value {
	__u64 number;
	double real;
	char text[12];
};
struct setting {
	__u32 key;
	union {
		__u32 flags;
		__u8 bytes[4];
	};
	union value value;
	struct {
		__u16 major, minor;
	};
	__u8 more[];
} setting = { 28, { 29 }, { 30 }, { 31, 32 } };
union value values[2] = { { 33 }, { 34 } };

struct wide {
	__u64 before;
	__int128 value;
} wide = { 35, -36 };
struct wide_packed {
	__u64 before;
	__int128 value;
} __packed wide_packed = { 37, -38 };

// Names that are no names in Rust, or the same as others.
struct shapes {
	__u32 rxBytes;
	__u32 TX_bytes;
	__u32 __reserved;
	__u32 crate;
	__u32 match;
	__u32 _pad_20;
	__u64 last;
} shapes = { 39, 40, 41, 42, 43, 44, 45 };
struct shapes_view {
	__u32 only;
} shapes_view = { 46 };
struct Shapes {
	__u64 only;
} SHAPES = { 47 };
enum loud { LOUD_A, loud_a, LoudA, SELF, _1, loud_b = 1 } loud = SELF;
enum mode { SLOW, FAST } volatile camelCase = FAST;

// Values that change together, inside of others.
struct stamped {
	__u32 tag;
	BPFVAR_SEQ(struct point) point;
} stamped = { 48, BPFVAR_SEQ_INIT({ 49, -50 }) };
BPFVAR_PERCPU(__u64) ticks;

// Only `egress` uses these.
__u64 sent;
const volatile __u32 limit = 51;
// No program does.
__u32 idle SEC(".data.idle") = 52;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, BPFVAR_SEQ(struct point));
} points SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, union value);
} unions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} unused SEC(".maps");

#define touch(variable) ({ sum += *(const volatile __u8 *)&(variable); asm volatile("" : "+r"(sum) : : "memory"); })

SEC("socket")
int ingress(struct __sk_buff *skb)
{
	BPFVAR_SEQ(struct point) *entry;
	__u32 key = 1, sum = 0;
	struct point *point;

	touch(cache), touch(spread), touch(record), touch(holder), touch(peers), touch(setting), touch(values);
	touch(wide), touch(wide_packed), touch(shapes), touch(shapes_view), touch(SHAPES), touch(loud), touch(camelCase);
	touch(stamped);
	entry = bpf_map_lookup_elem(&points, &key);
	if (entry) {
		point = bpfvar_seq_begin(entry);
		if (point) {
			point->x += 1;
			point->y -= 1;
			bpfvar_seq_end(entry);
		}
	}
	if (bpf_map_lookup_elem(&unions, &key))
		sum++;
	return sum;
}

// In a function of its own, so that a call leads to the section.
static __noinline int count(void)
{
	__u64 *tick = bpfvar_this_cpu(&ticks);
	__u64 before = sent;

	if (tick)
		(*tick)++;
	__sync_fetch_and_add(&sent, 1);
	return before;
}

SEC("socket")
int egress(struct __sk_buff *skb)
{
	return count() < limit;
}
