/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the loader fixes before load. It stands in a section of its own, so the struct's size is the
 * section's size. */
#pragma once

#include "addr.h"

enum config_flag {
	CONFIG_DUAL_STACK = 1, /* unknown addresses are world-ipv4 / world-ipv6 instead of world */
};

struct datapath_config {
	__u32 flags;
	__u32 vxlan_ifindex; /* the collect-metadata tunnel device; 0: no tunnel */
	__u32 tunnel_mtu; /* largest IP packet that fits into the tunnel, bytes; 0: not checked */
	__u8 gateway_ipv4[4]; /* source of ICMP errors to pods; all zero: none are sent */
	__u8 gateway_ipv6[ADDR_LEN];
};

/* Read it only through this name: a cast that drops `volatile` lets the compiler fold the zeros in.
 */
const volatile struct datapath_config config SEC(".rodata.config") = {};
