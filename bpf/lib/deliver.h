/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Into a pod of this node. */
#pragma once

#include "hop.h"
#include "policy.h"

/*
 * The receiver's policy is checked here, at the source side: redirect_peer passes by every hook of
 * the receiver's veth. A packet that this node forwards loses a hop; one that it sends itself does
 * not.
 */
static __always_inline int deliver(struct __sk_buff *skb, struct flow *flow,
				   struct endpoint_value *to, bool forwarded)
{
	int reason;

	flow->destination_identity = to->identity;
	if (flow->direction == DIRECTION_INGRESS)
		flow->endpoint = to->id;
	if (!(to->flags & ENDPOINT_READY))
		return drop(skb, flow, DROP_ENDPOINT_NOT_READY);
	if (!policy_allows(to, DIRECTION_INGRESS))
		return drop(skb, flow, DROP_POLICY_DENIED);
	reason = forwarded ? hop(skb, flow) : 0;
	if (reason)
		return drop(skb, flow, reason);
	/* mac, then node_mac: destination and source of the Ethernet header. */
	if (bpf_skb_store_bytes(skb, 0, to->mac, 2 * MAC_LEN, 0))
		return drop(skb, flow, DROP_WRITE_ERROR);
	metric_count(METRIC_FORWARDED, DIRECTION_INGRESS, skb->len);
	return bpf_redirect_peer(to->ifindex, 0);
}
