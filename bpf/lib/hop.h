/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A node is a router: it takes one from the TTL or hop limit of what it forwards (RFC 1812 §5.3.1,
 * RFC 8200 §3). */
#pragma once

#include "parse.h"

static __always_inline int hop_ipv4(struct __sk_buff *skb, __u8 ttl)
{
	__u8 next = ttl - 1;

	/* In the checksum the TTL is the high byte of its 16-bit word. */
	if (bpf_l3_csum_replace(skb, OFFSET_IPV4_CHECK, bpf_htons(ttl << 8), bpf_htons(next << 8),
				2))
		return DROP_WRITE_ERROR;
	if (bpf_skb_store_bytes(skb, OFFSET_IPV4_TTL, &next, 1, 0))
		return DROP_WRITE_ERROR;
	return 0;
}

static __always_inline int hop_ipv6(struct __sk_buff *skb, __u8 limit)
{
	__u8 next = limit - 1;

	/* Nothing in the header makes up for the change, so a hardware checksum over the packet
	 * must follow it. */
	if (bpf_skb_store_bytes(skb, OFFSET_IPV6_HOP_LIMIT, &next, 1, BPF_F_RECOMPUTE_CSUM))
		return DROP_WRITE_ERROR;
	return 0;
}

/* 0, or the reason to drop. */
static __always_inline int hop(struct __sk_buff *skb, const struct flow *flow)
{
	if (flow->ttl <= 1)
		return DROP_TTL_EXCEEDED;
	if (flow->dst.family == FAMILY_IPV4)
		return hop_ipv4(skb, flow->ttl);
	return hop_ipv6(skb, flow->ttl);
}
