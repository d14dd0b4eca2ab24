// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Arriving from the network, without a tunnel or with one that XDP has taken off: tc ingress of the
 * physical devices. */
#include "lib/geneve.h"
#include "lib/overlay.h"
#include "lib/unencrypted.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The identity that XDP left in the frame. */
static __always_inline bool label_of(struct __sk_buff *skb, __u32 *identity)
{
	__u8 source[MAC_LEN];

	if (bpf_skb_load_bytes(skb, MAC_LEN, source, sizeof(source)) || !label_present(source))
		return false;
	*identity = label_identity(source);
	return true;
}

/* Not where everything is encrypted: then a label is anybody's. */
static __always_inline bool tunnel_ends_at_xdp(void)
{
	return (config.flags & CONFIG_GENEVE) && !(config.flags & CONFIG_ENCRYPT);
}

SEC("tc")
int from_netdev(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct endpoint_value *to;
	__u32 identity;
	int reason;

	if (tunnel_ends_at_xdp() && label_of(skb, &identity))
		return from_tunnel(skb, &flow, identity);
	if (!is_ip(skb))
		return TC_ACT_OK;
	reason = parse(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	to = endpoint_of(&flow.dst);
	if (encryption_is_strict() && should_be_encrypted(skb, &flow, to)) {
		flow.source_identity = identity_of_native_source(&flow.src);
		return drop(skb, &flow, DROP_UNENCRYPTED_TRAFFIC);
	}
	if (!to || (to->flags & ENDPOINT_HOST))
		return TC_ACT_OK;
	flow.source_identity = identity_of_native_source(&flow.src);
	return deliver(skb, &flow, to, true);
}
