/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* To another node, with the sender's identity as VNI: through the kernel's collect-metadata tunnel
 * device, or in GENEVE headers of our own. */
#pragma once

#include "geneve-encap.h"

static __always_inline int set_tunnel_key(struct __sk_buff *skb, const struct peer_value *peer,
					  __u32 identity)
{
	struct bpf_tunnel_key key = { .tunnel_id = identity, .tunnel_ttl = OUTER_TTL };
	const __u32 *words = (const __u32 *) peer->addr;

	if (peer->family == FAMILY_IPV4) {
		key.remote_ipv4 = bpf_ntohl(words[0]); /* the only field in host order */
		return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX);
	}
	key.remote_ipv6[0] = words[0];
	key.remote_ipv6[1] = words[1];
	key.remote_ipv6[2] = words[2];
	key.remote_ipv6[3] = words[3];
	return bpf_skb_set_tunnel_key(skb, &key, sizeof(key), BPF_F_TUNINFO_IPV6);
}

/* A packet that may not be cut and does not fit. Super-packets are cut later, to the size their
 * sender asked for. */
static __always_inline bool exceeds_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	return config.tunnel_mtu && flow->dont_fragment && !skb->gso_size &&
	       skb->len > config.tunnel_mtu + ETH_HLEN;
}

/* Sends the packet to the peer. The caller has found it small enough. */
static __always_inline int encap(struct __sk_buff *skb, struct flow *flow,
				 const struct peer_value *peer, bool forwarded)
{
	__u32 identity = identity_on_wire(flow->source_identity);
	int reason;

	if (!config.tunnel_ifindex && !(config.flags & CONFIG_GENEVE))
		return drop(skb, flow, DROP_NO_DEVICE);
	reason = forwarded ? hop(skb, flow) : 0;
	if (reason)
		return drop(skb, flow, reason);
	if (config.flags & CONFIG_GENEVE)
		return encap_geneve(skb, flow, peer, identity);
	if (set_tunnel_key(skb, peer, identity))
		return drop(skb, flow, DROP_WRITE_ERROR);
	metric_count(METRIC_FORWARDED, DIRECTION_EGRESS, skb->len);
	return bpf_redirect(config.tunnel_ifindex, 0);
}
