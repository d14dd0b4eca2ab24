// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Arriving through the tunnel: tc ingress of isth_vxlan. The sender's identity is the VNI. */
#include "lib/overlay.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The underlay's family is not known beforehand; the helper refuses the wrong one. */
static __always_inline int read_tunnel_key(struct __sk_buff *skb, struct bpf_tunnel_key *key)
{
	if (bpf_skb_get_tunnel_key(skb, key, sizeof(*key), 0) == 0)
		return 0;
	return bpf_skb_get_tunnel_key(skb, key, sizeof(*key), BPF_F_TUNINFO_IPV6);
}

SEC("tc")
int from_overlay(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct bpf_tunnel_key key = {};

	if (read_tunnel_key(skb, &key))
		return drop(skb, &flow, DROP_NO_TUNNEL_KEY);
	return from_tunnel(skb, &flow, key.tunnel_id);
}
