/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tells a pod that its packet does not fit into the tunnel (RFC 792 and 1191; RFC 4443 §3.2). */
#pragma once

#include "checksum.h"
#include "encap.h"

#define ICMP_UNREACHABLE    3
#define ICMP_FRAG_NEEDED_V4 4
#define ICMPV6_TOO_BIG	    2
#define QUOTED_PAYLOAD	    8 /* enough for the pod's stack to find the socket */
#define ANSWER_TTL	    64

struct icmp_too_big {
	__u8 type;
	__u8 code;
	__u16 check;
	__be32 mtu; /* IPv4: the upper half is unused and zero */
} __attribute__((packed));

struct answer_ipv4 {
	struct iphdr ip;
	struct icmp_too_big icmp;
	__u8 quote[sizeof(struct iphdr) + QUOTED_PAYLOAD];
} __attribute__((packed, aligned(4)));

struct answer_ipv6 {
	struct ipv6hdr ip;
	struct icmp_too_big icmp;
	__u8 quote[sizeof(struct ipv6hdr) + QUOTED_PAYLOAD];
} __attribute__((packed, aligned(4)));

/* Back out of the device that the packet came from, to the pod that sent it. */
static __always_inline int answer(struct __sk_buff *skb, const void *packet, __u32 size)
{
	__u8 macs[2 * MAC_LEN];

	if (bpf_skb_load_bytes(skb, 0, macs + MAC_LEN, MAC_LEN) ||
	    bpf_skb_load_bytes(skb, MAC_LEN, macs, MAC_LEN))
		return TC_ACT_SHOT;
	if (bpf_skb_change_tail(skb, ETH_HLEN + size, 0))
		return TC_ACT_SHOT;
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(macs), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, packet, size, BPF_F_RECOMPUTE_CSUM))
		return TC_ACT_SHOT;
	return bpf_redirect(skb->ifindex, 0);
}

static __always_inline int answer_ipv4(struct __sk_buff *skb, const struct flow *flow)
{
	struct answer_ipv4 out = {};
	const volatile __u32 *gateway = (const volatile __u32 *) config.gateway_ipv4;

	if (!*gateway || bpf_skb_load_bytes(skb, ETH_HLEN, out.quote, sizeof(out.quote)))
		return TC_ACT_SHOT;
	out.ip.version = 4;
	out.ip.ihl = sizeof(out.ip) / 4;
	out.ip.tot_len = bpf_htons(sizeof(out));
	out.ip.ttl = ANSWER_TTL;
	out.ip.protocol = IPPROTO_ICMP;
	out.ip.saddr = *gateway;
	out.ip.daddr = addr_word(&flow->src, 0);
	out.ip.check = fold(bpf_csum_diff(NULL, 0, (__be32 *) &out.ip, sizeof(out.ip), 0));
	out.icmp.type = ICMP_UNREACHABLE;
	out.icmp.code = ICMP_FRAG_NEEDED_V4;
	out.icmp.mtu = bpf_htonl(config.tunnel_mtu);
	out.icmp.check =
		fold(bpf_csum_diff(NULL, 0, (__be32 *) &out.icmp, sizeof(out) - sizeof(out.ip), 0));
	return answer(skb, &out, sizeof(out));
}

/* The checksum covers a pseudo header: both addresses, the length, the protocol (RFC 8200 §8.1). */
static __always_inline __u16 icmpv6_check(struct answer_ipv6 *out)
{
	__u32 length = sizeof(*out) - sizeof(out->ip);
	__u32 tail[2] = { bpf_htonl(length), bpf_htonl(IPPROTO_ICMPV6) };
	__s64 sum = bpf_csum_diff(NULL, 0, (__be32 *) &out->ip.saddr, 2 * ADDR_LEN, 0);

	sum = bpf_csum_diff(NULL, 0, tail, sizeof(tail), sum);
	return fold(bpf_csum_diff(NULL, 0, (__be32 *) &out->icmp, length, sum));
}

static __always_inline int answer_ipv6(struct __sk_buff *skb, const struct flow *flow)
{
	struct answer_ipv6 out = {};
	const volatile __u32 *gateway = (const volatile __u32 *) config.gateway_ipv6;
	__be32 *from = out.ip.saddr.in6_u.u6_addr32, *to = out.ip.daddr.in6_u.u6_addr32;

	if (!gateway[0] || bpf_skb_load_bytes(skb, ETH_HLEN, out.quote, sizeof(out.quote)))
		return TC_ACT_SHOT;
	out.ip.version = 6;
	out.ip.payload_len = bpf_htons(sizeof(out) - sizeof(out.ip));
	out.ip.nexthdr = IPPROTO_ICMPV6;
	out.ip.hop_limit = ANSWER_TTL;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		from[i] = gateway[i];
		to[i] = addr_word(&flow->src, i);
	}
	out.icmp.type = ICMPV6_TOO_BIG;
	out.icmp.mtu = bpf_htonl(config.tunnel_mtu);
	out.icmp.check = icmpv6_check(&out);
	return answer(skb, &out, sizeof(out));
}

/* Turns the packet into the ICMP error about itself and sends it back. Without a gateway address it
 * is only dropped. */
static __always_inline int answer_too_big(struct __sk_buff *skb, const struct flow *flow)
{
	if (flow->src.family == FAMILY_IPV4)
		return answer_ipv4(skb, flow);
	return answer_ipv6(skb, flow);
}
