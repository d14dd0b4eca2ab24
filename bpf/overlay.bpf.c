// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Arriving through the tunnel: tc ingress of the tunnel device. The sender's identity is the VNI.
 */
#include "lib/overlay.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Flags of a tunnel key that the kernel took from a GENEVE header (linux/if_tunnel.h). */
#define TUNNEL_CONTROL	bpf_htons(0x0200)
#define TUNNEL_CRITICAL bpf_htons(0x0400)

/* The underlay's family is not known beforehand; the helper refuses the wrong one. */
static __always_inline int read_tunnel_key(struct __sk_buff *skb, struct bpf_tunnel_key *key)
{
	if (bpf_skb_get_tunnel_key(skb, key, sizeof(*key), BPF_F_TUNINFO_FLAGS) == 0)
		return 0;
	return bpf_skb_get_tunnel_key(skb, key, sizeof(*key),
				      BPF_F_TUNINFO_FLAGS | BPF_F_TUNINFO_IPV6);
}

SEC("tc")
int from_overlay(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct bpf_tunnel_key key = {};

	if (read_tunnel_key(skb, &key))
		return drop(skb, &flow, DROP_NO_TUNNEL_KEY);
	/* The device reads GENEVE's options, and leaves it to us whether we know them. */
	if (key.tunnel_flags & (TUNNEL_CONTROL | TUNNEL_CRITICAL))
		return drop(skb, &flow, DROP_INVALID_GENEVE);
	return from_tunnel(skb, &flow, key.tunnel_id);
}
