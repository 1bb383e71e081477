// SPDX-License-Identifier: MIT OR Apache-2.0
// A global variable of every kind that BTF knows, most with a value that shows when a byte is misplaced.
#include "defs.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// Integers.
__u8 u8_value = 0xf1;
__s8 s8_value = -2;
__u16 u16_value = 0xf1f2;
__s16 s16_value = -258;
__u32 u32_value = 0xf1f2f3f4;
__s32 s32_value = -65538;
__u64 u64_value = 0xf1f2f3f4f5f6f7f8;
__s64 s64_value = -4294967298;
unsigned __int128 u128_value = (unsigned __int128)0xf1f2f3f4f5f6f7f8 << 64 | 0xe1e2e3e4e5e6e7e8;
__int128 s128_value = -((__int128)1 << 100);
char char_value = 'c';
signed char schar_value = -100;
bool bool_value = true;
long long_value = -3;
unsigned long ulong_value = 3;

// Types around types.
typedef const volatile __u64 number_t;
typedef number_t renamed_t;
volatile __u32 volatile_value = 7;
renamed_t chained_value = 8;
const volatile __s16 const_value = -9;
struct node;
#define __tag(name) __attribute__((btf_type_tag(#name)))
struct node __tag(rcu) __tag(percpu) *tagged_pointer = (void *)0x1234;
__u32 tagged_value __attribute__((btf_decl_tag("a variable's tag"))) = 10;
struct tagged {
	__u32 plain;
	__u32 marked __attribute__((btf_decl_tag("a member's tag")));
} tagged_member __attribute__((btf_decl_tag("one more"))) = { 11, 12 };

// Enums.
enum color { RED, GREEN = 5, BLUE = 0x80000000 } color_value = BLUE;
enum temperature { FREEZING = -40, WARM = 20, HOT = 90 } temperature_value = FREEZING;
enum alias { ORIGINAL = 1, SYNONYM = 1, DEFAULT = 1, DIFFERENT = 2 } alias_value = SYNONYM;
enum big { BIG_ZERO, BIG_ONE = 0x100000001, BIG_MAX = 0xffffffffffffffff } big_value = BIG_ONE;
enum big_signed { BIG_MIN = -0x7fffffffffffffff, BIG_MINUS = -1, BIG_PLUS = 0x100000000 } big_signed_value = BIG_MIN;
enum small { SMALL_A, SMALL_B = 200 } __packed small_value = SMALL_B;
enum small_signed { SMALL_MINUS = -128, SMALL_PLUS = 127 } __packed small_signed_value = SMALL_MINUS;
enum { NAMELESS_A = 3, NAMELESS_B } nameless_enum = NAMELESS_B;

// Floats.
float float_value = 1.5f;
double double_value = -0.1;
float float_array[3] = { 0.25f, -1e30f, 3.0f };
double double_array[2] = { 1e300, -2.5 };

// Pointers.
struct node {
	struct node *next;
	__u32 value;
};
struct node *node_pointer = (void *)0xffff888012345678;
int (*function_pointer)(struct node *node, const char *name) = (void *)0xffffffff81000000;
void *void_pointer;
const char *const *pointer_pointer;

// Arrays.
__s16 cube[2][3][4] = { { { 0, 1, 2, 3 }, { 10, 11, 12, 13 }, { 20, 21, 22, 23 } },
			{ { -100, -101, -102, -103 }, { -110 }, { -120, 0, 0, -123 } } };
char text[8] = "text";
char full_text[4] = { 'f', 'u', 'l', 'l' };
char lines[3][6] = { "one", "two", "three" };
struct node nodes[2] = { { 0, 21 }, { 0, 22 } };
__u8 large[5000] = { [4999] = 99 };

// Structs and unions.
struct bits {
	__u32 one : 1;
	__u32 three : 3;
	__s32 minus : 5;
	__u32 plain;
	__u32 : 2;
	__u32 across : 20;
	__u32 next_unit : 17;
	bool flag : 1;
	enum color hue : 3;
	enum temperature cold : 8;
	__u16 half;
	__u64 wide : 33;
	__s64 wide_minus : 31;
	__u64 whole : 64;
} bits_value = {
	.one = 1, .three = 5, .minus = -7, .plain = 0xdeadbeef, .across = 0xabcde, .next_unit = 0x1fedc, .flag = true,
	.hue = GREEN, .cold = FREEZING, .half = 0x1234, .wide = 0x1fedcba98, .wide_minus = -1234567, .whole = 0x0123456789abcdef,
};
struct outer {
	__u8 first;
	struct inner {
		__s32 x, y;
		struct { __u16 deep; } innermost;
	} inner, inners[2];
	__u64 last;
} nested = { 1, { 2, -3, { 4 } }, { { 5, -6, { 7 } }, { 8, -9, { 10 } } }, 11 };
union word {
	__u64 whole;
	struct { __u32 low, high; } halves;
	__u8 bytes[8];
} word = { 0x0102030405060708 };
union number {
	__u32 integer;
	float real;
} number = { .real = 2.0f };
struct anonymous {
	__u32 tag;
	union {
		__u64 as_number;
		struct {
			__u16 left;
			union {
				__u16 right;
				__s16 right_signed;
			};
			__u32 rest;
		};
	};
	__u8 end;
} anonymous_members = { .tag = 1, .left = 2, .right_signed = -3, .rest = 4, .end = 5 };
struct { __u32 x; } nameless_struct = { 0x77 };
struct squeezed {
	__u8 tag;
	__u64 value;
	__u16 tail;
} __packed squeezed = { 0x51, 0x6162636465666768, 0x7172 };
struct nothing {};
struct with_nothing {
	__u32 before;
	struct nothing nothing;
	__u32 after;
} with_nothing = { 13, {}, 14 };
struct keywords {
	__u32 type;
	__u32 fn;
	__u32 self;
} keywords = { 15, 16, 17 };

// Zeroes.
__u64 zero_u64;
struct outer zero_struct;
__u8 zero_byte;

// Linkage.
static __u32 static_value = 18;
static __u16 static_zero;
__hidden __u32 hidden_value = 19;
__weak __u32 weak_value = 20;

// Sections of one's own.
__u32 custom_data SEC(".data.custom") = 30;
__u8 custom_data_end SEC(".data.custom") = 31;
const volatile __u64 custom_rodata SEC(".rodata.custom") = 32;
// Newer libbpf makes this section's map without BPF_F_MMAPABLE; that of Debian 12, 1.1, does not look.
static volatile __u32 only_static SEC(".data.static") = 33;

// The kernel's own configuration, filled in by the loader. Weak ones may be missing.
extern __u32 LINUX_KERNEL_VERSION __kconfig;
extern __u32 CONFIG_HZ __kconfig __weak;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern enum libbpf_tristate CONFIG_BPF __kconfig __weak;
extern char CONFIG_EPOLL __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[12] __kconfig __weak;
extern __u64 CONFIG_BPFVAR_MISSING __kconfig __weak;

// Names that are odd elsewhere.
__u32 type = 40;
__u32 fn = 41;
__u32 self = 42;
__u32 _ = 43;
__u32 a_name_of_sixty_characters_which_is_far_too_long_to_be_typed = 44;

// Static variables inside functions: `first.calls` and `second.calls`.
static __noinline int first(void)
{
	static __u32 calls = 50;
	return ++calls;
}

static __noinline int second(void)
{
	static __u32 calls = 60;
	return ++calls;
}

// Reads a byte of a variable in a way that clang must keep, and before the next one: all addresses at once would not fit on
// the stack.
#define touch(variable) ({ sum += *(const volatile __u8 *)&(variable); asm volatile("" : "+r"(sum) : : "memory"); })

// Changes zero_u64, static_value, static_zero and the statics inside functions; of all others it reads a byte.
SEC("socket")
int touch_every_variable(struct __sk_buff *skb)
{
	__u32 sum = 0;

	touch(u8_value), touch(s8_value), touch(u16_value), touch(s16_value), touch(u32_value), touch(s32_value);
	touch(u64_value), touch(s64_value), touch(u128_value), touch(s128_value), touch(char_value), touch(schar_value);
	touch(bool_value), touch(long_value), touch(ulong_value);
	touch(volatile_value), touch(chained_value), touch(const_value), touch(tagged_pointer), touch(tagged_value);
	touch(tagged_member);
	touch(color_value), touch(temperature_value), touch(alias_value), touch(big_value), touch(big_signed_value);
	touch(small_value), touch(small_signed_value), touch(nameless_enum);
	touch(float_value), touch(double_value), touch(float_array), touch(double_array);
	touch(node_pointer), touch(function_pointer), touch(void_pointer), touch(pointer_pointer);
	touch(cube), touch(text), touch(full_text), touch(lines), touch(nodes), touch(large);
	touch(bits_value), touch(nested), touch(word), touch(number), touch(anonymous_members), touch(nameless_struct);
	touch(squeezed), touch(with_nothing), touch(keywords);
	touch(zero_u64), touch(zero_struct), touch(zero_byte);
	touch(hidden_value), touch(weak_value);
	touch(custom_data), touch(custom_data_end), touch(custom_rodata), touch(only_static);
	touch(LINUX_KERNEL_VERSION), touch(CONFIG_HZ), touch(CONFIG_BPF_SYSCALL), touch(CONFIG_BPF), touch(CONFIG_EPOLL);
	touch(CONFIG_DEFAULT_HOSTNAME), touch(CONFIG_BPFVAR_MISSING);
	touch(type), touch(fn), touch(self), touch(_);
	touch(a_name_of_sixty_characters_which_is_far_too_long_to_be_typed);
	zero_u64++;
	static_value++;
	static_zero++;
	return sum + static_value + static_zero + first() + second();
}
