/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets that a node would take for the mesh's own tunnel: who may send them may choose an
 * identity. */
#pragma once

#include "config.h"
#include "upper.h"

#define UDP_DESTINATION 2 /* bytes from the start of the UDP header */

/* A header that cannot be read counts as one for the tunnel. A later fragment does not: nobody puts
 * it together without the first, which has the port. */
static __always_inline bool upper_is_for_tunnel(struct __sk_buff *skb, const struct upper *upper)
{
	__be16 port;

	if (!config.tunnel_port || upper->state == UPPER_LATER_FRAGMENT)
		return false;
	if (upper->state == UPPER_UNREADABLE)
		return true;
	return upper->protocol == IPPROTO_UDP &&
	       (bpf_skb_load_bytes(skb, upper->offset + UDP_DESTINATION, &port, sizeof(port)) ||
		port == config.tunnel_port);
}

/* The same, for those between nodes: of a datagram that was cut only the first piece says that it
 * is the tunnel's, so that all pieces count, of all datagrams. */
static __always_inline bool upper_may_be_for_tunnel(struct __sk_buff *skb,
						    const struct upper *upper)
{
	if (config.tunnel_port && upper->fragment && upper->protocol == IPPROTO_UDP)
		return true;
	return upper_is_for_tunnel(skb, upper);
}

static __always_inline bool is_for_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	struct upper upper = {};

	find_upper(skb, flow, &upper);
	return upper_is_for_tunnel(skb, &upper);
}
