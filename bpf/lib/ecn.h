/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Explicit congestion notification, which a tunnel must not swallow (RFC 6040). */
#pragma once

#include "reason.h"
#include "common.h"

#define ECN_MASK    3
#define ECN_NOT_ECT 0
#define ECN_CE	    3 /* congestion experienced */

/* The traffic class lies across the first two bytes; its lowest two bits are the ECN field. */
#define ECN_IPV6_SHIFT 4

static __always_inline __u8 ecn_of_ipv6(const struct ipv6hdr *ip)
{
	return (ip->flow_lbl[0] >> ECN_IPV6_SHIFT) & ECN_MASK;
}

/* Sets bits that are not set yet; the checksum follows (RFC 1624 §3). */
static __always_inline void ecn_add_ipv4(struct iphdr *ip, __u8 bits)
{
	__u32 sum = (__u16) ~ip->check + bpf_htons(bits);

	ip->tos |= bits;
	ip->check = ~((sum & 0xffff) + (sum >> 16));
}

static __always_inline int ecn_pass_on_ipv4(struct iphdr *ip, void *end)
{
	__u8 ecn;

	if ((void *) (ip + 1) > end)
		return DROP_INVALID_PACKET;
	ecn = ip->tos & ECN_MASK;
	if (ecn == ECN_NOT_ECT)
		return DROP_INVALID_PACKET;
	ecn_add_ipv4(ip, ECN_CE & ~ecn);
	return 0;
}

static __always_inline int ecn_pass_on_ipv6(struct ipv6hdr *ip, void *end)
{
	if ((void *) (ip + 1) > end)
		return DROP_INVALID_PACKET;
	if (ecn_of_ipv6(ip) == ECN_NOT_ECT)
		return DROP_INVALID_PACKET;
	ip->flow_lbl[0] |= ECN_CE << ECN_IPV6_SHIFT;
	return 0;
}

/* The outer packet met congestion: so did the frame in it. A sender that would not understand must
 * lose the packet (RFC 6040 §4.2). 0, or the reason to drop. */
static __always_inline int ecn_pass_on(struct ethhdr *eth, void *end)
{
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		return ecn_pass_on_ipv4((void *) (eth + 1), end);
	if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		return ecn_pass_on_ipv6((void *) (eth + 1), end);
	return 0;
}
