/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What frames on the cables of a lab are taken for, and what the lab says of addresses and ports.
 */
#pragma once

#include "../lib/common.h"

/* In the order of lab/src/sniff/frame-kind.ts. Those before KIND_FORBIDDEN may pass. */
enum frame_kind {
	KIND_ARP,
	KIND_NEIGHBOUR, /* IPv6: who is where, and who listens to which group */
	KIND_WIREGUARD,
	KIND_EXEMPT,  /* of a port that nodes never encrypt */
	KIND_STATION, /* to or from somebody in the network that has no WireGuard, and is no pod */
	KIND_FORBIDDEN,
	KIND_POD = KIND_FORBIDDEN, /* a pod's or a service's address stands in it */
	KIND_TUNNEL,		   /* the overlay's, as it is: there are pods' packets inside */
	KIND_NODE,		   /* between nodes that encrypt, and of no port that is exempt */
	KIND_FRAGMENT,	/* nobody can say what is in it; nothing that may pass comes in pieces */
	KIND_MALFORMED, /* cut short, or with lengths that do not fit */
	KIND_UNKNOWN,	/* of another protocol, or of an address that nobody told of */
	KIND_READABLE,	/* it may pass by its headers, and the packet of a flow can be read in it */
	KINDS,
};

enum place_kind {
	PLACE_UNKNOWN,
	PLACE_POD,
	PLACE_NODE, /* it encrypts what it sends to other nodes */
	PLACE_OPEN, /* a control plane, the router, a group */
};

/* An IPv4 address is mapped into IPv6: its prefixes are longer by 96. */
struct place_key {
	__u32 prefix_bits;
	__u8 address[ADDR_LEN];
};

struct port_key {
	__u16 port;
	__u8 protocol;
	__u8 zero;
};

/* Who is who. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct place_key);
	__type(value, __u32);
} sniff_places SEC(".maps");

/* What ports are of: KIND_WIREGUARD, KIND_EXEMPT or KIND_TUNNEL. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct port_key);
	__type(value, __u32);
} sniff_ports SEC(".maps");

static __always_inline __u32 place_of(const __u8 address[ADDR_LEN])
{
	struct place_key key = { .prefix_bits = 8 * ADDR_LEN };
	__u32 *place;

	__builtin_memcpy(key.address, address, ADDR_LEN);
	place = bpf_map_lookup_elem(&sniff_places, &key);
	return place ? *place : PLACE_UNKNOWN;
}

/* KINDS: the port is nobody's. */
static __always_inline __u32 kind_of_port(__u8 protocol, __be16 port)
{
	struct port_key key = { .port = bpf_ntohs(port), .protocol = protocol };
	__u32 *kind = bpf_map_lookup_elem(&sniff_ports, &key);

	return kind ? *kind : KINDS;
}
