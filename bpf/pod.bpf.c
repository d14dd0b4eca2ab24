// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Leaving a pod: tc ingress of the host side of its veth. */
#include "lib/cut.h"
#include "lib/deliver.h"
#include "lib/encap.h"
#include "lib/neighbor.h"
#include "lib/too-big.h"
#include "lib/tunnel-port.h"
#include "lib/wireguard.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The pod may send from its own addresses only, and only once it is ready. 0, or the reason to
 * drop. */
static __always_inline int check_sender(struct __sk_buff *skb, struct flow *flow)
{
	struct endpoint_value *from = endpoint_of(&flow->src);

	if (!from || (from->flags & ENDPOINT_HOST) || from->ifindex != skb->ifindex)
		return DROP_INVALID_SOURCE;
	flow->source_identity = from->identity;
	flow->endpoint = from->id;
	if (!(from->flags & ENDPOINT_READY))
		return DROP_ENDPOINT_NOT_READY;
	if (!policy_allows(from, DIRECTION_EGRESS))
		return DROP_POLICY_DENIED;
	return 0;
}

/* Only pods may get what looks like the tunnel's packets: from a node they would come with any
 * identity that the sender likes. An address that nobody has told us about may be a node's. */
static __always_inline bool is_forged_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	return !identity_is_allocated(flow->destination_identity) && is_for_tunnel(skb, flow);
}

/* The destination is not on this node: a peer's tunnel, or whatever the kernel's routes say. */
static __always_inline int send_away(struct __sk_buff *skb, struct flow *flow)
{
	struct ipcache_value *entry = ipcache_of(&flow->dst);
	struct peer_value *peer;

	flow->destination_identity = entry ? entry->identity : identity_world(flow->dst.family);
	if (is_forged_tunnel(skb, flow))
		return drop(skb, flow, DROP_ENCAP_PROHIBITED);
	if (!entry || !entry->peer) {
		/* A pod of unknown place: the kernel's routes would lead out of the mesh. */
		if (identity_is_allocated(flow->destination_identity))
			return drop(skb, flow, DROP_NO_TUNNEL_ENDPOINT);
		return TC_ACT_OK;
	}
	peer = peer_of(entry->peer);
	if (!peer)
		return drop(skb, flow, DROP_NO_TUNNEL_ENDPOINT);
	if (peer->mode == PEER_CLOSED)
		return drop(skb, flow, DROP_NO_FIB);
	if (must_not_be_sent_to(peer))
		return drop(skb, flow, DROP_UNENCRYPTED_TRAFFIC);
	if (peer->mode == PEER_NATIVE)
		return TC_ACT_OK;
	if (must_be_cut(skb, flow))
		return leave_to_be_cut(skb, flow);
	if (exceeds_tunnel(skb, flow)) {
		drop(skb, flow, DROP_FRAG_NEEDED);
		return answer_too_big(skb, flow);
	}
	return encap(skb, flow, peer, true);
}

SEC("tc")
int from_pod(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_EGRESS };
	struct endpoint_value *to;
	int reason;

	if (skb->protocol == bpf_htons(ETH_P_ARP))
		return TC_ACT_OK;
	if (!is_ip(skb))
		return drop(skb, &flow, DROP_UNKNOWN_L3);
	reason = parse(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	if (is_neighbor_discovery(skb, &flow) || is_listener_report(&flow))
		return TC_ACT_OK;
	reason = check_sender(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	to = endpoint_of(&flow.dst);
	if (!to)
		return send_away(skb, &flow);
	if (to->flags & ENDPOINT_HOST) {
		flow.destination_identity = to->identity;
		return is_forged_tunnel(skb, &flow) ? drop(skb, &flow, DROP_ENCAP_PROHIBITED)
						    : TC_ACT_OK;
	}
	return deliver(skb, &flow, to, true);
}
