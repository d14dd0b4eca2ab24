/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets that are too large for the tunnel and may be cut. */
#pragma once

#include "encap.h"

/* The kernel's tunnel devices cut what they send; a program cannot. */
static __always_inline bool must_be_cut(struct __sk_buff *skb, const struct flow *flow)
{
	return (config.flags & CONFIG_GENEVE) && config.tunnel_mtu && !flow->dont_fragment &&
	       !skb->gso_size && skb->len > config.tunnel_mtu + ETH_HLEN;
}

/* To the kernel, if its route leads to isth_host: that device is no larger than the tunnel, and
 * what it sends comes back to from_host in pieces. Any other route would lead out of the mesh. IPv4
 * only: nobody on the way may cut an IPv6 packet. */
static __always_inline int leave_to_be_cut(struct __sk_buff *skb, struct flow *flow)
{
	struct bpf_fib_lookup way = { .family = AF_INET, .ifindex = skb->ifindex };
	long result;

	way.ipv4_src = addr_word(&flow->src, 0);
	way.ipv4_dst = addr_word(&flow->dst, 0);
	way.l4_protocol = flow->protocol;
	result = bpf_fib_lookup(skb, &way, sizeof(way), 0);
	if ((result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_FRAG_NEEDED ||
	     result == BPF_FIB_LKUP_RET_NO_NEIGH) &&
	    way.ifindex == config.host_ifindex)
		return TC_ACT_OK;
	return drop(skb, flow, DROP_FRAG_NEEDED);
}
