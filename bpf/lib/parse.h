/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Ethernet frame -> addresses and the few fields that forwarding needs. */
#pragma once

#include "drop.h"
#include "ecn.h"

#define IP_DONT_FRAGMENT 0x4000

/* Bytes from the start of the frame. */
#define OFFSET_IPV4_TTL	      (ETH_HLEN + 8)
#define OFFSET_IPV4_CHECK     (ETH_HLEN + 10)
#define OFFSET_IPV6_HOP_LIMIT (ETH_HLEN + 7)

/* The frame up to `size`, made linear where it is not; NULL when it is shorter. */
static __always_inline void *frame(struct __sk_buff *skb, __u32 size)
{
	void *data = (void *) (long) skb->data;

	if (data + size <= (void *) (long) skb->data_end)
		return data;
	if (bpf_skb_pull_data(skb, size))
		return NULL;
	data = (void *) (long) skb->data;
	if (data + size <= (void *) (long) skb->data_end)
		return data;
	return NULL;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct flow *flow)
{
	struct iphdr *ip = frame(skb, ETH_HLEN + sizeof(*ip));

	if (!ip)
		return DROP_INVALID_PACKET;
	ip = (void *) ip + ETH_HLEN;
	if (ip->version != 4 || ip->ihl < 5)
		return DROP_INVALID_PACKET;
	addr_set_ipv4(&flow->src, ip->saddr);
	addr_set_ipv4(&flow->dst, ip->daddr);
	flow->protocol = ip->protocol;
	flow->ttl = ip->ttl;
	flow->ecn = ip->tos & ECN_MASK;
	flow->dont_fragment = ip->frag_off & bpf_htons(IP_DONT_FRAGMENT);
	return 0;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct flow *flow)
{
	struct ipv6hdr *ip = frame(skb, ETH_HLEN + sizeof(*ip));

	if (!ip)
		return DROP_INVALID_PACKET;
	ip = (void *) ip + ETH_HLEN;
	if (ip->version != 6)
		return DROP_INVALID_PACKET;
	addr_set_ipv6(&flow->src, ip->saddr.in6_u.u6_addr32);
	addr_set_ipv6(&flow->dst, ip->daddr.in6_u.u6_addr32);
	flow->protocol = ip->nexthdr;
	flow->ttl = ip->hop_limit;
	flow->ecn = ecn_of_ipv6(ip);
	flow->dont_fragment = true;
	if (addr_is_mapped(&flow->src) || addr_is_mapped(&flow->dst))
		return DROP_INVALID_PACKET;
	return 0;
}

/* Fills the packet's part of the flow; 0, or the reason to drop. The frame must be IPv4 or IPv6. */
static __always_inline int parse(struct __sk_buff *skb, struct flow *flow)
{
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return parse_ipv4(skb, flow);
	return parse_ipv6(skb, flow);
}

static __always_inline bool is_ip(struct __sk_buff *skb)
{
	return skb->protocol == bpf_htons(ETH_P_IP) || skb->protocol == bpf_htons(ETH_P_IPV6);
}
