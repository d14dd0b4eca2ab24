/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What happens to a decapsulated packet, once its label is known. Apart from the program for the
 * tests' sake. */
#pragma once

#include "deliver.h"

static __always_inline int hand_to_host(struct __sk_buff *skb, struct flow *flow)
{
	__u8 mac[MAC_LEN];

	if (config.flags & CONFIG_GENEVE) {
		/* It came in by a physical device, where the source could not be routed back to. */
#pragma unroll
		for (int i = 0; i < MAC_LEN; i++)
			mac[i] = config.host_mac[i];
		if (bpf_skb_store_bytes(skb, 0, mac, sizeof(mac), 0))
			return drop(skb, flow, DROP_WRITE_ERROR);
		return bpf_redirect(config.host_ifindex, BPF_F_INGRESS);
	}
	/* The inner frame bears the far pod's neighbour as destination: tell the stack that it is
	 * for us all the same. */
	if (bpf_skb_change_type(skb, PACKET_HOST))
		return drop(skb, flow, DROP_WRITE_ERROR);
	return TC_ACT_OK;
}

static __always_inline int from_tunnel(struct __sk_buff *skb, struct flow *flow, __u32 identity)
{
	struct endpoint_value *to;
	int reason;

	flow->source_identity = identity;
	if (!identity_valid_from_wire(identity))
		return drop(skb, flow, DROP_INVALID_IDENTITY);
	if (!is_ip(skb))
		return drop(skb, flow, DROP_UNKNOWN_L3);
	reason = parse(skb, flow);
	if (reason)
		return drop(skb, flow, reason);
	to = endpoint_of(&flow->dst);
	if (!to)
		return drop(skb, flow, DROP_UNROUTABLE);
	if (!(to->flags & ENDPOINT_HOST))
		return deliver(skb, flow, to, true);
	return hand_to_host(skb, flow);
}
