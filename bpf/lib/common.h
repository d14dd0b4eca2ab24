/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What every program needs: kernel types, helper declarations. No vmlinux.h: only UAPI structures
 * are touched. */
#pragma once

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Sizes of arrays that travel as bytes. */
#define MAC_LEN	 6
#define ADDR_LEN 16

/* Families of the kernel's interface (linux/socket.h). */
#define AF_INET	 2
#define AF_INET6 10

/* Which way a packet was going, seen from the endpoint that the record is about. */
enum direction {
	DIRECTION_INGRESS = 1,
	DIRECTION_EGRESS = 2,
	DIRECTION_SERVICE = 3,
};
