/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The protocol inside IP: where it begins, behind the extension headers of IPv6. */
#pragma once

#include "parse.h"

#define IP_FRAGMENT_OFFSET   0x1fff
#define IP_MORE_FRAGMENTS    0x2000
#define IPV6_FRAGMENT_OFFSET 0xfff8
/* More than these no sender needs; nodes that read on would read what we have not. */
#define MAX_EXTENSION_HEADERS 4

enum upper_state {
	UPPER_FOUND,
	UPPER_LATER_FRAGMENT, /* the header is in another packet */
	UPPER_UNREADABLE,
};

struct upper {
	enum upper_state state;
	__u32 offset; /* from the start of the frame */
	__u8 protocol;
	bool fragment; /* a part of a packet, the first one too */
};

static __always_inline void find_upper_ipv4(struct __sk_buff *skb, const struct flow *flow,
					    struct upper *upper)
{
	struct iphdr ip;

	upper->protocol = flow->protocol;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip))) {
		upper->state = UPPER_UNREADABLE;
		return;
	}
	upper->offset = ETH_HLEN + ip.ihl * 4;
	upper->fragment = ip.frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET);
	if (ip.frag_off & bpf_htons(IP_FRAGMENT_OFFSET))
		upper->state = UPPER_LATER_FRAGMENT;
}

static __always_inline bool is_extension_header(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_AH;
}

static __always_inline void find_upper_ipv6(struct __sk_buff *skb, const struct flow *flow,
					    struct upper *upper)
{
	upper->offset = ETH_HLEN + sizeof(struct ipv6hdr);
	upper->protocol = flow->protocol;
	for (int i = 0; i <= MAX_EXTENSION_HEADERS; i++) {
		__u8 header[4], protocol = upper->protocol;

		if (!is_extension_header(protocol))
			return;
		if (bpf_skb_load_bytes(skb, upper->offset, header, sizeof(header)))
			break;
		upper->protocol = header[0];
		if (protocol == IPPROTO_FRAGMENT) {
			upper->fragment = true;
			if (header[2] || header[3] & (IPV6_FRAGMENT_OFFSET & 0xff)) {
				upper->state = UPPER_LATER_FRAGMENT;
				return;
			}
			upper->offset += 8;
		} else if (protocol == IPPROTO_AH) {
			upper->offset += (header[1] + 2) * 4;
		} else {
			upper->offset += (header[1] + 1) * 8;
		}
	}
	upper->state = UPPER_UNREADABLE;
}

/* `upper` must be zeroed. */
static __always_inline void find_upper(struct __sk_buff *skb, const struct flow *flow,
				       struct upper *upper)
{
	if (flow->dst.family == FAMILY_IPV4)
		find_upper_ipv4(skb, flow, upper);
	else
		find_upper_ipv6(skb, flow, upper);
}
