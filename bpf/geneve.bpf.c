// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Takes GENEVE off where the kernel has no device for it: XDP of the physical devices. What is left
 * is the inner frame, addressed to this device and labelled with the sender's identity; from_netdev
 * goes on with it. Here, because only what is decapsulated before the kernel makes a packet of it
 * is joined by GRO and cut into datagrams again like any other.
 *
 * An outer UDP checksum that is not zero is not verified: between virtual devices it is often not
 * filled in, and only the kernel's packet says so.
 */
#include "lib/ecn.h"
#include "lib/geneve.h"
#include "lib/identity.h"
#include "lib/xdp-drop.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define IPV4_MORE_FRAGMENTS  0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

/* What the outer headers say. Offsets count from the start of the frame. */
struct outer {
	__u32 udp; /* where the UDP header starts; 0: the packet is not one for this node */
	__u32 identity;
	__u32 inner; /* where the inner frame starts */
	__u8 ecn;
	bool fragment;
};

static __always_inline bool is_own_ipv4(__be32 address)
{
	return address && address == *(const volatile __u32 *) config.underlay_ipv4;
}

static __always_inline bool is_own_ipv6(const struct in6_addr *address)
{
	const volatile __u32 *own = (const volatile __u32 *) config.underlay_ipv6;
	const __u32 *words = address->in6_u.u6_addr32;

	return own[0] && words[0] == own[0] && words[1] == own[1] && words[2] == own[2] &&
	       words[3] == own[3];
}

static __always_inline void read_ipv4(void *data, void *end, struct outer *outer)
{
	struct iphdr *ip = data + ETH_HLEN;

	if ((void *) (ip + 1) > end || ip->version != 4 || ip->ihl < 5 ||
	    ip->protocol != IPPROTO_UDP || !is_own_ipv4(ip->daddr) ||
	    ip->frag_off & bpf_htons(IPV4_FRAGMENT_OFFSET))
		return;
	outer->udp = ETH_HLEN + ip->ihl * 4;
	outer->ecn = ip->tos & ECN_MASK;
	outer->fragment = ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS);
}

static __always_inline void read_ipv6(void *data, void *end, struct outer *outer)
{
	struct ipv6hdr *ip = data + ETH_HLEN;

	if ((void *) (ip + 1) > end || ip->nexthdr != IPPROTO_UDP || !is_own_ipv6(&ip->daddr))
		return;
	outer->udp = ETH_HLEN + sizeof(*ip);
	outer->ecn = ecn_of_ipv6(ip);
}

/* A datagram to the tunnel's port of this node. */
static __always_inline bool is_for_tunnel(void *data, void *end, struct outer *outer)
{
	struct ethhdr *eth = data;
	struct udphdr *udp;

	if (eth->h_proto == bpf_htons(ETH_P_IP))
		read_ipv4(data, end, outer);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		read_ipv6(data, end, outer);
	if (!outer->udp)
		return false;
	udp = data + outer->udp;
	return (void *) (udp + 1) <= end && udp->dest == config.tunnel_port;
}

/* 0, or the reason to drop. Options are skipped, unless one of them may not be. */
static __always_inline int read_geneve(void *data, void *end, __u32 length, struct outer *outer)
{
	struct udphdr *udp = data + outer->udp;
	struct geneve_header *geneve = (void *) (udp + 1);
	__u32 headers = sizeof(*udp) + sizeof(*geneve);

	if ((void *) (geneve + 1) > end)
		return DROP_INVALID_PACKET;
	if (geneve->version_length >> GENEVE_VERSION_SHIFT)
		return DROP_INVALID_GENEVE;
	if (geneve->flags & (GENEVE_CONTROL | GENEVE_CRITICAL))
		return DROP_INVALID_GENEVE;
	if (geneve->protocol != bpf_htons(GENEVE_ETHERNET))
		return DROP_UNKNOWN_L3;
	headers += geneve_options(geneve);
	if (bpf_ntohs(udp->len) < headers + ETH_HLEN || outer->udp + bpf_ntohs(udp->len) > length)
		return DROP_INVALID_PACKET;
	outer->identity = geneve_identity(geneve);
	outer->inner = outer->udp + headers;
	return 0;
}

/* The frame that remains: for this device, labelled, with the congestion that the tunnel met. */
static __always_inline int finish(struct xdp_md *ctx, const struct outer *outer, const __u8 *mac)
{
	void *data = (void *) (long) ctx->data, *end = (void *) (long) ctx->data_end;
	struct ethhdr *eth = data;

	if ((void *) (eth + 1) > end)
		return DROP_INVALID_PACKET;
	__builtin_memcpy(eth->h_dest, mac, MAC_LEN);
	label_write(eth->h_source, outer->identity);
	return outer->ecn == ECN_CE ? ecn_pass_on(data, end) : 0;
}

static __always_inline int decap(struct xdp_md *ctx, const struct outer *outer)
{
	void *data = (void *) (long) ctx->data, *end = (void *) (long) ctx->data_end;
	__u8 mac[MAC_LEN];

	if (data + ETH_HLEN > end)
		return DROP_INVALID_PACKET;
	__builtin_memcpy(mac, data, MAC_LEN);
	if (bpf_xdp_adjust_head(ctx, outer->inner))
		return DROP_INVALID_PACKET;
	return finish(ctx, outer, mac);
}

SEC("xdp.frags")
int decap_geneve(struct xdp_md *ctx)
{
	void *data = (void *) (long) ctx->data, *end = (void *) (long) ctx->data_end;
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct outer outer = {};
	int reason;

	if (data + ETH_HLEN > end)
		return XDP_PASS;
	if (label_present(data + MAC_LEN))
		return xdp_drop(ctx, &flow, DROP_INVALID_IDENTITY);
	/* Taken off here, nobody could tell any more that it came as it is. */
	if (config.flags & CONFIG_ENCRYPT || !is_for_tunnel(data, end, &outer))
		return XDP_PASS;
	if (outer.fragment)
		return xdp_drop(ctx, &flow, DROP_FRAGMENT_UNSUPPORTED);
	reason = read_geneve(data, end, bpf_xdp_get_buff_len(ctx), &outer);
	flow.source_identity = outer.identity;
	if (!reason)
		reason = decap(ctx, &outer);
	return reason ? xdp_drop(ctx, &flow, reason) : XDP_PASS;
}
