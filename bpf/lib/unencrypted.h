/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets that came from the network as they are, and that no node sends so: their senders only
 * pretend to be in the mesh. */
#pragma once

#include "tunnel-port.h"
#include "wireguard.h"

/* The stack forwards it. What it takes itself is for more addresses than those that we know: of
 * other devices, and for broadcasts. */
static __always_inline bool is_forwarded(struct __sk_buff *skb, const struct flow *flow)
{
	struct bpf_fib_lookup way = { .ifindex = skb->ifindex, .l4_protocol = flow->protocol };
	long result;

	if (flow->dst.family == FAMILY_IPV4) {
		way.family = AF_INET;
		way.ipv4_src = addr_word(&flow->src, 0);
		way.ipv4_dst = addr_word(&flow->dst, 0);
	} else {
		way.family = AF_INET6;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			way.ipv6_src[i] = addr_word(&flow->src, i);
			way.ipv6_dst[i] = addr_word(&flow->dst, i);
		}
	}
	result = bpf_fib_lookup(skb, &way, sizeof(way), 0);
	return result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH;
}

/* `to`: NULL where it is neither for a pod of this node nor for an address of its that we know. */
static __always_inline bool should_be_encrypted(struct __sk_buff *skb, struct flow *flow,
						const struct endpoint_value *to)
{
	struct mesh_place from = {};
	struct upper upper = {};
	bool from_mesh = find_in_mesh(&flow->src, &from);

	if (to)
		flow->destination_identity = to->identity;
	if (to && !(to->flags & ENDPOINT_HOST)) {
		flow->endpoint = to->id;
		return from_mesh;
	}
	find_upper(skb, flow, &upper);
	/* A later fragment has no port, and is nothing without the first, which has. WireGuard's
	 * own packets come in pieces where the way is narrow. */
	if (upper_is_for_tunnel(skb, &upper))
		return to || !is_forwarded(skb, flow);
	return to && from_mesh && !from.node;
}
