/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets that a node would take for the mesh's own tunnel: who may send them may choose an
 * identity. */
#pragma once

#include "parse.h"

#define IP_FRAGMENT_OFFSET 0x1fff
#define UDP_DESTINATION	   2 /* bytes from the start of the UDP header */
/* More than these no sender needs; nodes that read on would read what we have not. */
#define MAX_EXTENSION_HEADERS 4

/* A header that cannot be read counts as one for the tunnel. */
static __always_inline bool udp_is_for_tunnel(struct __sk_buff *skb, __u32 offset)
{
	__be16 port;

	return bpf_skb_load_bytes(skb, offset + UDP_DESTINATION, &port, sizeof(port)) ||
	       port == config.tunnel_port;
}

static __always_inline bool ipv4_is_for_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	struct iphdr ip;

	if (flow->protocol != IPPROTO_UDP)
		return false;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return true;
	/* A later fragment: nobody puts it together without the first, which has the port. */
	if (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		return false;
	return udp_is_for_tunnel(skb, ETH_HLEN + ip.ihl * 4);
}

static __always_inline bool ipv6_is_for_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__u8 next = flow->protocol;

	for (int i = 0; i <= MAX_EXTENSION_HEADERS; i++) {
		__u8 header[4];

		if (next == IPPROTO_UDP)
			return udp_is_for_tunnel(skb, offset);
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT && next != IPPROTO_DSTOPTS && next != IPPROTO_AH)
			return false;
		if (bpf_skb_load_bytes(skb, offset, header, sizeof(header)))
			return true;
		if (next == IPPROTO_FRAGMENT) {
			if (header[2] || header[3] & 0xf8)
				return false;
			offset += 8;
		} else if (next == IPPROTO_AH) {
			offset += (header[1] + 2) * 4;
		} else {
			offset += (header[1] + 1) * 8;
		}
		next = header[0];
	}
	return true;
}

static __always_inline bool is_for_tunnel(struct __sk_buff *skb, const struct flow *flow)
{
	if (!config.tunnel_port)
		return false;
	if (flow->dst.family == FAMILY_IPV4)
		return ipv4_is_for_tunnel(skb, flow);
	return ipv6_is_for_tunnel(skb, flow);
}
