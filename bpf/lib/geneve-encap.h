/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * To another node where the kernel has no GENEVE device: the headers are written here, and the
 * kernel's routes and neighbours take the packet there.
 *
 * The outer UDP checksum is zero: RFC 8926 §4.3.1 and, for tunnels over IPv6, RFC 6935 allow it,
 * and the inner packet has its own.
 */
#pragma once

#include "checksum.h"
#include "geneve.h"
#include "hop.h"
#include "lookup.h"

#define OUTER_TTL	 64
#define OUTER_IPV6_FLAGS bpf_htonl(0x60000000)
#define OUTER_ECN_SHIFT	 20
/* Dynamic ports (RFC 6335 §6), as RFC 8926 §3.3 wants it. */
#define SOURCE_PORT_FIRST 0xc000
#define SOURCE_PORT_MASK  0x3fff

/* Between the Ethernet header and the inner one. */
struct outer_rest {
	struct udphdr udp;
	struct geneve_header geneve;
	struct ethhdr inner;
} __attribute__((packed));

struct outer_ipv4 {
	struct iphdr ip;
	struct outer_rest rest;
} __attribute__((packed));

struct outer_ipv6 {
	struct ipv6hdr ip;
	struct outer_rest rest;
} __attribute__((packed));

/* Super-packets keep the size of their segments (FIXED_GSO): the tunnel's MTU has room for it. */
#define ADJUST_FLAGS                                                                               \
	(BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |    \
	 BPF_F_ADJ_ROOM_ENCAP_L2(ETH_HLEN))

/* The same for all packets of a flow, so that they take the same way. */
static __always_inline __be16 source_port(struct __sk_buff *skb)
{
	__u32 hash = bpf_get_hash_recalc(skb);

	return bpf_htons(SOURCE_PORT_FIRST | ((hash ^ hash >> 16) & SOURCE_PORT_MASK));
}

/* Where the kernel would send a packet to the peer. 0, or the reason to drop. */
static __always_inline int find_way(struct __sk_buff *skb, const struct peer_value *peer,
				    struct bpf_fib_lookup *way)
{
	const __u32 *to = (const __u32 *) peer->addr;
	const volatile __u32 *own;
	long result;

	way->ifindex = skb->ifindex;
	way->l4_protocol = IPPROTO_UDP;
	way->dport = config.tunnel_port;
	if (peer->family == FAMILY_IPV4) {
		own = (const volatile __u32 *) config.underlay_ipv4;
		way->family = AF_INET;
		way->ipv4_src = own[0];
		way->ipv4_dst = to[0];
		if (!skb->gso_size)
			way->tot_len = skb->len + sizeof(struct outer_ipv4) - ETH_HLEN;
	} else {
		own = (const volatile __u32 *) config.underlay_ipv6;
		way->family = AF_INET6;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			way->ipv6_src[i] = own[i];
			way->ipv6_dst[i] = to[i];
		}
		if (!skb->gso_size)
			way->tot_len = skb->len + sizeof(struct outer_ipv6) - ETH_HLEN;
	}
	result = bpf_fib_lookup(skb, way, sizeof(*way), 0);
	if (result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH)
		return 0;
	return result == BPF_FIB_LKUP_RET_FRAG_NEEDED ? DROP_FRAG_NEEDED : DROP_NO_FIB;
}

/* `length`: of the outer UDP datagram; in a super-packet the kernel writes each segment's own. */
static __always_inline void fill_rest(struct __sk_buff *skb, struct outer_rest *rest,
				      __u32 identity, __u16 length)
{
	rest->udp.source = source_port(skb);
	rest->udp.dest = config.tunnel_port;
	rest->udp.len = bpf_htons(length);
	rest->geneve.protocol = bpf_htons(GENEVE_ETHERNET);
	rest->geneve.vni = geneve_vni(identity);
}

static __always_inline int write_outer(struct __sk_buff *skb, __be16 protocol, void *outer,
				       __u32 size, __u64 flags)
{
	if (bpf_skb_adjust_room(skb, size, BPF_ADJ_ROOM_MAC, ADJUST_FLAGS | flags) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN - sizeof(protocol), &protocol, sizeof(protocol), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, outer, size, BPF_F_INVALIDATE_HASH))
		return DROP_WRITE_ERROR;
	return 0;
}

static __always_inline int write_outer_ipv4(struct __sk_buff *skb, const struct flow *flow,
					    const struct peer_value *peer, __u32 identity)
{
	struct outer_ipv4 out __attribute__((aligned(4))) = {};
	__u16 length = skb->len + sizeof(out) - ETH_HLEN;

	if (bpf_skb_load_bytes(skb, 0, &out.rest.inner, ETH_HLEN))
		return DROP_WRITE_ERROR;
	fill_rest(skb, &out.rest, identity, length - sizeof(out.ip));
	out.ip.version = 4;
	out.ip.ihl = sizeof(out.ip) / 4;
	out.ip.tos = flow->ecn;
	out.ip.tot_len = bpf_htons(length);
	/* XDP at the other end cannot put fragments together. */
	out.ip.frag_off = bpf_htons(IP_DONT_FRAGMENT);
	out.ip.ttl = OUTER_TTL;
	out.ip.protocol = IPPROTO_UDP;
	out.ip.saddr = *(const volatile __u32 *) config.underlay_ipv4;
	out.ip.daddr = *(const __u32 *) peer->addr;
	out.ip.check = fold(bpf_csum_diff(NULL, 0, (__be32 *) &out.ip, sizeof(out.ip), 0));
	return write_outer(skb, bpf_htons(ETH_P_IP), &out, sizeof(out),
			   BPF_F_ADJ_ROOM_ENCAP_L3_IPV4);
}

static __always_inline int write_outer_ipv6(struct __sk_buff *skb, const struct flow *flow,
					    const struct peer_value *peer, __u32 identity)
{
	struct outer_ipv6 out __attribute__((aligned(4))) = {};
	__u16 length = skb->len + sizeof(out.rest) - ETH_HLEN;
	const volatile __u32 *own = (const volatile __u32 *) config.underlay_ipv6;
	const __u32 *to = (const __u32 *) peer->addr;

	if (bpf_skb_load_bytes(skb, 0, &out.rest.inner, ETH_HLEN))
		return DROP_WRITE_ERROR;
	fill_rest(skb, &out.rest, identity, length);
	*(__be32 *) &out.ip = OUTER_IPV6_FLAGS | bpf_htonl(flow->ecn << OUTER_ECN_SHIFT);
	out.ip.payload_len = bpf_htons(length);
	out.ip.nexthdr = IPPROTO_UDP;
	out.ip.hop_limit = OUTER_TTL;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		out.ip.saddr.in6_u.u6_addr32[i] = own[i];
		out.ip.daddr.in6_u.u6_addr32[i] = to[i];
	}
	return write_outer(skb, bpf_htons(ETH_P_IPV6), &out, sizeof(out),
			   BPF_F_ADJ_ROOM_ENCAP_L3_IPV6);
}

static __always_inline int send_way(const struct bpf_fib_lookup *way)
{
	struct bpf_redir_neigh hop = { .nh_family = way->family };

#pragma unroll
	for (int i = 0; i < 4; i++)
		hop.ipv6_nh[i] = way->ipv6_dst[i];
	return bpf_redirect_neigh(way->ifindex, &hop, sizeof(hop), 0);
}

/* What the program answers; every failure is a drop. */
static __always_inline int encap_geneve(struct __sk_buff *skb, struct flow *flow,
					const struct peer_value *peer, __u32 identity)
{
	struct bpf_fib_lookup way = {};
	__u32 length = skb->len;
	int reason = find_way(skb, peer, &way);

	if (!reason && peer->family == FAMILY_IPV4)
		reason = write_outer_ipv4(skb, flow, peer, identity);
	else if (!reason)
		reason = write_outer_ipv6(skb, flow, peer, identity);
	if (reason)
		return drop(skb, flow, reason);
	metric_count(METRIC_FORWARDED, DIRECTION_EGRESS, length);
	return send_way(&way);
}
