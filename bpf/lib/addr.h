/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One address key for both families. */
#pragma once

#include "common.h"

enum addr_family {
	FAMILY_IPV4 = 1,
	FAMILY_IPV6 = 2,
};

/* net 0 is the flat mesh. An IPv4 address stands in the first four bytes, the rest is zero. Padding
 * must be zero. */
struct addr_key {
	__u16 net;
	__u8 family;
	__u8 pad;
	__u8 addr[ADDR_LEN];
} __attribute__((aligned(4)));

static __always_inline __u32 addr_word(const struct addr_key *key, int index)
{
	return ((const __u32 *) key->addr)[index];
}

static __always_inline void addr_set_ipv4(struct addr_key *key, __be32 address)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->family = FAMILY_IPV4;
	*(__u32 *) key->addr = address;
}

static __always_inline void addr_set_ipv6(struct addr_key *key, const __be32 *words)
{
	__u32 *to = (__u32 *) key->addr;

	key->net = 0;
	key->family = FAMILY_IPV6;
	key->pad = 0;
	to[0] = words[0];
	to[1] = words[1];
	to[2] = words[2];
	to[3] = words[3];
}

static __always_inline bool addr_equal(const struct addr_key *a, const struct addr_key *b)
{
	return a->net == b->net && a->family == b->family && addr_word(a, 0) == addr_word(b, 0) &&
	       addr_word(a, 1) == addr_word(b, 1) && addr_word(a, 2) == addr_word(b, 2) &&
	       addr_word(a, 3) == addr_word(b, 3);
}

/* ::ffff:0:0/96, which must never be seen on a wire. */
static __always_inline bool words_are_mapped(const __be32 *words)
{
	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool addr_is_mapped(const struct addr_key *key)
{
	return key->family == FAMILY_IPV6 && words_are_mapped((const __be32 *) key->addr);
}

static __always_inline bool addr_is_multicast(const struct addr_key *key)
{
	if (key->family == FAMILY_IPV6)
		return key->addr[0] == 0xff;
	return (key->addr[0] & 0xf0) == 0xe0 || addr_word(key, 0) == 0xffffffff;
}

/* fe80::/10, or the unspecified address that duplicate address detection sends from. */
static __always_inline bool addr_is_link_local(const struct addr_key *key)
{
	if (key->family != FAMILY_IPV6)
		return false;
	if (key->addr[0] == 0xfe && (key->addr[1] & 0xc0) == 0x80)
		return true;
	return !(addr_word(key, 0) | addr_word(key, 1) | addr_word(key, 2) | addr_word(key, 3));
}
