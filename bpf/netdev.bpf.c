// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Arriving from the network without a tunnel: tc ingress of the physical devices. */
#include "lib/deliver.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int from_netdev(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct endpoint_value *to;
	int reason;

	if (!is_ip(skb))
		return TC_ACT_OK;
	reason = parse(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	to = endpoint_of(&flow.dst);
	if (!to || (to->flags & ENDPOINT_HOST))
		return TC_ACT_OK;
	flow.source_identity = identity_of_native_source(&flow.src);
	return deliver(skb, &flow, to, true);
}
