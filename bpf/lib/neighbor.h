/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The packets that a link needs for itself, which belong to the kernel and not to the mesh. */
#pragma once

#include "parse.h"

#define ICMPV6_ROUTER_SOLICITATION    133
#define ICMPV6_NEIGHBOR_SOLICITATION  135
#define ICMPV6_NEIGHBOR_ADVERTISEMENT 136
#define NEIGHBOR_HOP_LIMIT	      255

/*
 * Neighbour discovery that a pod may send to the stack. Not router advertisements and redirects
 * (RFC 4861 §4.2, §4.5): with them a pod could give the host routes.
 */
static __always_inline bool is_neighbor_discovery(struct __sk_buff *skb, const struct flow *flow)
{
	__u8 type = 0;

	if (flow->src.family != FAMILY_IPV6 || flow->protocol != IPPROTO_ICMPV6 ||
	    flow->ttl != NEIGHBOR_HOP_LIMIT)
		return false;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(struct ipv6hdr), &type, 1))
		return false;
	return type == ICMPV6_ROUTER_SOLICITATION || type == ICMPV6_NEIGHBOR_SOLICITATION ||
	       type == ICMPV6_NEIGHBOR_ADVERTISEMENT;
}

/* Multicast listener reports (RFC 3810 §5.2.13): link-local or no source, ff02::16, one hop,
 * hop-by-hop option. */
static __always_inline bool is_listener_report(const struct flow *flow)
{
	return addr_is_link_local(&flow->src) && flow->protocol == IPPROTO_HOPOPTS &&
	       flow->ttl == 1 && addr_word(&flow->dst, 0) == bpf_htonl(0xff020000) &&
	       addr_word(&flow->dst, 3) == bpf_htonl(0x16);
}
