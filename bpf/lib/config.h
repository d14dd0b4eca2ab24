/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the loader fixes before load. It stands in a section of its own, so the struct's size is the
 * section's size. */
#pragma once

#include "addr.h"

enum config_flag {
	CONFIG_DUAL_STACK = 1, /* unknown addresses are world-ipv4 / world-ipv6 instead of world */
	CONFIG_GENEVE = 2,  /* no device of the kernel's: the programs write and take off GENEVE */
	CONFIG_NATIVE = 4,  /* pods of other nodes may come without a tunnel */
	CONFIG_ENCRYPT = 8, /* pods' packets go to other nodes by WireGuard */
	CONFIG_ENCRYPT_NODE = 16,   /* the nodes' own packets too, but for isth_encrypt_exempt */
	CONFIG_ENCRYPT_STRICT = 32, /* what cannot go, or has not come, by WireGuard is dropped */
};

struct datapath_config {
	__u32 flags;
	__u32 tunnel_ifindex; /* the kernel's collect-metadata tunnel device; 0: there is none */
	__u32 tunnel_mtu;   /* largest IP packet that fits into the tunnel, bytes; 0: not checked */
	__be16 tunnel_port; /* UDP */
	__u8 host_mac[MAC_LEN]; /* of the device below */
	__u32 host_ifindex;	/* isth_host: where GENEVE hands over what is for the host itself */
	__u8 underlay_ipv4[4];	/* own addresses, between which GENEVE packets go; all zero: none */
	__u8 underlay_ipv6[ADDR_LEN];
	__u8 gateway_ipv4[4]; /* source of ICMP errors to pods; all zero: none are sent */
	__u8 gateway_ipv6[ADDR_LEN];
	__u32 wireguard_even_ifindex; /* 0: there is none */
	__u32 wireguard_odd_ifindex;
};

/* Read it only through this name: a cast that drops `volatile` lets the compiler fold the zeros in.
 */
const volatile struct datapath_config config SEC(".rodata.config") = {};
