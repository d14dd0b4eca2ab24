// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What the host's stack routes to pod addresses: tc ingress of isth_net, the far end of isth_host.
 */
#include "lib/deliver.h"
#include "lib/encap.h"
#include "lib/mark.h"
#include "lib/wireguard.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * The stack sends its own packets here and also forwards others'. Only a source that is this node's
 * own address is the host; a forwarded packet must not borrow the host's rights. A mark is set by
 * privileged software on this node.
 */
static __always_inline __u32 sender(struct __sk_buff *skb, const struct flow *flow)
{
	struct endpoint_value *from;
	__u32 mark = skb->mark;

	if (mark_has_identity(mark))
		return mark_identity(mark);
	from = endpoint_of(&flow->src);
	if (!from)
		return identity_of_native_source(&flow->src);
	return (from->flags & ENDPOINT_HOST) ? IDENTITY_HOST : from->identity;
}

static __always_inline int send_away(struct __sk_buff *skb, struct flow *flow)
{
	struct ipcache_value *entry = ipcache_of(&flow->dst);
	struct peer_value *peer;

	/* Back to the stack would be a loop: it is the stack that sent it here. */
	if (!entry || !entry->peer)
		return drop(skb, flow, DROP_UNROUTABLE);
	flow->destination_identity = entry->identity;
	peer = peer_of(entry->peer);
	if (!peer)
		return drop(skb, flow, DROP_NO_TUNNEL_ENDPOINT);
	if (peer->mode == PEER_CLOSED)
		return drop(skb, flow, DROP_NO_FIB);
	if (must_not_be_sent_to(peer))
		return drop(skb, flow, DROP_UNENCRYPTED_TRAFFIC);
	/* To a native peer the stack has routes of its own. Where one still leads here they are
	 * being changed, and the peer takes both. */
	if (exceeds_tunnel(skb, flow))
		return drop(skb, flow, DROP_FRAG_NEEDED);
	return encap(skb, flow, peer, false);
}

SEC("tc")
int from_host(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct endpoint_value *to;
	int reason;

	if (!is_ip(skb))
		return TC_ACT_OK;
	reason = parse(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	/* What the stack says to the link itself: it concerns no pod. */
	if (addr_is_link_local(&flow.src) || addr_is_multicast(&flow.dst))
		return TC_ACT_OK;
	flow.source_identity = sender(skb, &flow);
	skb->mark = 0; /* it means nothing inside a pod */
	to = endpoint_of(&flow.dst);
	if (!to)
		return send_away(skb, &flow);
	if (to->flags & ENDPOINT_HOST)
		return TC_ACT_OK;
	return deliver(skb, &flow, to, false);
}
