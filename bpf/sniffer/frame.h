/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The headers of a frame, and what it is by them. Everything is read by copying: what a frame is
 * made of need not lie in one piece. */
#pragma once

#include <linux/udp.h>
#include "kind.h"

#define IPV4_FRAGMENT	0x3fff /* more fragments, or an offset */
#define NEXT_HOP_BY_HOP 0
#define NEXT_FRAGMENT	44
#define NEXT_ICMPV6	58
#define PORT_BYTES	4
#define UDP_BYTES	8

struct frame {
	__u32 kind;  /* KINDS until it is known */
	__u32 upper; /* where what IP carries begins; 0: it is no packet of IP */
	__u8 protocol;
	__u8 source[ADDR_LEN], destination[ADDR_LEN];
};

static __always_inline void mapped(__u8 to[ADDR_LEN], __be32 address)
{
	__builtin_memset(to, 0, 10);
	to[10] = to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, sizeof(address));
}

static __always_inline void read_ipv4(struct __sk_buff *skb, struct frame *frame)
{
	struct iphdr ip;
	__u32 header, total;

	frame->kind = KIND_MALFORMED;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return;
	header = ip.ihl * 4;
	total = bpf_ntohs(ip.tot_len);
	mapped(frame->source, ip.saddr);
	mapped(frame->destination, ip.daddr);
	if (ip.version != 4 || header < sizeof(ip) || total < header || ETH_HLEN + total > skb->len)
		return;
	frame->protocol = ip.protocol;
	frame->upper = ETH_HLEN + header;
	frame->kind = ip.frag_off & bpf_htons(IPV4_FRAGMENT) ? KIND_FRAGMENT : KINDS;
}

static __always_inline void read_ipv6(struct __sk_buff *skb, struct frame *frame)
{
	struct ipv6hdr ip;
	__u8 options[2]; /* next header, length */

	frame->kind = KIND_MALFORMED;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return;
	__builtin_memcpy(frame->source, &ip.saddr, ADDR_LEN);
	__builtin_memcpy(frame->destination, &ip.daddr, ADDR_LEN);
	if (ip.version != 6 || ETH_HLEN + sizeof(ip) + bpf_ntohs(ip.payload_len) > skb->len)
		return;
	frame->protocol = ip.nexthdr;
	frame->upper = ETH_HLEN + sizeof(ip);
	if (frame->protocol == NEXT_HOP_BY_HOP) {
		if (bpf_skb_load_bytes(skb, frame->upper, options, sizeof(options)))
			return;
		frame->protocol = options[0];
		frame->upper += 8 * (1 + options[1]);
	}
	frame->kind = frame->protocol == NEXT_FRAGMENT ? KIND_FRAGMENT : KINDS;
}

/* Neighbour discovery, and the reports of who listens to which group. */
static __always_inline bool is_neighbour(__u8 type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

/* What a datagram of WireGuard begins with. */
struct wireguard_start {
	struct udphdr udp;
	__u8 type, zero[3];
};

/* Its messages say what they are, and all but the last kind have one length. Of many that are cut
 * apart only later the first is looked at. */
static __always_inline bool is_wireguard(struct __sk_buff *skb, const struct frame *frame)
{
	struct wireguard_start start;
	__u32 length;

	if (bpf_skb_load_bytes(skb, frame->upper, &start, sizeof(start)))
		return false;
	if (start.zero[0] || start.zero[1] || start.zero[2])
		return false;
	length = skb->gso_size ? skb->gso_size : bpf_ntohs(start.udp.len) - UDP_BYTES;
	switch (start.type) {
	case 1: /* handshake: initiation, response, cookie */
		return length == 148;
	case 2:
		return length == 92;
	case 3:
		return length == 64;
	default: /* data, of nothing at least */
		return start.type == 4 && length >= 32;
	}
}

static __always_inline __u32 kind_by_port(struct __sk_buff *skb, const struct frame *frame)
{
	__be16 ports[2];
	__u32 from, to;

	if (bpf_skb_load_bytes(skb, frame->upper, ports, PORT_BYTES))
		return KIND_MALFORMED;
	from = kind_of_port(frame->protocol, ports[0]);
	to = kind_of_port(frame->protocol, ports[1]);
	if (from == KIND_TUNNEL || to == KIND_TUNNEL)
		return KIND_TUNNEL;
	if (from == KIND_WIREGUARD && to == KIND_WIREGUARD)
		return is_wireguard(skb, frame) ? KIND_WIREGUARD : KIND_MALFORMED;
	return from == KIND_EXEMPT || to == KIND_EXEMPT ? KIND_EXEMPT : KINDS;
}

static __always_inline __u32 kind_by_upper(struct __sk_buff *skb, const struct frame *frame)
{
	__u8 type;

	if (frame->protocol == IPPROTO_UDP || frame->protocol == IPPROTO_TCP)
		return kind_by_port(skb, frame);
	if (frame->protocol != NEXT_ICMPV6)
		return KINDS;
	if (bpf_skb_load_bytes(skb, frame->upper, &type, sizeof(type)))
		return KIND_MALFORMED;
	return is_neighbour(type) ? KIND_NEIGHBOUR : KINDS;
}

static __always_inline __u32 kind_of_packet(struct __sk_buff *skb, const struct frame *frame)
{
	__u32 from = place_of(frame->source), to = place_of(frame->destination), kind;

	if (from == PLACE_POD || to == PLACE_POD)
		return KIND_POD;
	if (frame->kind != KINDS)
		return frame->kind;
	kind = kind_by_upper(skb, frame);
	if (kind != KINDS)
		return kind;
	if (from == PLACE_UNKNOWN || to == PLACE_UNKNOWN)
		return KIND_UNKNOWN;
	return from == PLACE_NODE && to == PLACE_NODE ? KIND_NODE : KIND_STATION;
}

/* Reads the headers; `judge`: says what the frame is by them. */
static __always_inline void read_frame(struct __sk_buff *skb, struct frame *frame, bool judge)
{
	struct ethhdr ethernet;

	frame->kind = KIND_MALFORMED;
	if (bpf_skb_load_bytes(skb, 0, &ethernet, sizeof(ethernet)))
		return;
	if (ethernet.h_proto == bpf_htons(ETH_P_IP))
		read_ipv4(skb, frame);
	else if (ethernet.h_proto == bpf_htons(ETH_P_IPV6))
		read_ipv6(skb, frame);
	else
		frame->kind = ethernet.h_proto == bpf_htons(ETH_P_ARP) ? KIND_ARP : KIND_UNKNOWN;
	if (skb->vlan_present)
		frame->kind = KIND_UNKNOWN;
	if (judge && (frame->upper || frame->kind == KIND_MALFORMED))
		frame->kind = kind_of_packet(skb, frame);
}
