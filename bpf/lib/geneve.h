/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* GENEVE's header (RFC 8926 §3.4), and the label that a frame bears once it is taken off. */
#pragma once

#include "common.h"
#include <linux/udp.h>

#define GENEVE_VERSION_SHIFT 6
#define GENEVE_LENGTH_MASK   0x3f /* options, in words of four bytes */
#define GENEVE_CONTROL	     0x80 /* a message between tunnel endpoints: never to be forwarded */
#define GENEVE_CRITICAL	     0x40 /* some option may not be skipped */
#define GENEVE_ETHERNET	     0x6558

struct geneve_header {
	__u8 version_length;
	__u8 flags;
	__be16 protocol;
	__be32 vni; /* the lowest byte is reserved */
};

static __always_inline __be32 geneve_vni(__u32 identity)
{
	return bpf_htonl(identity << 8);
}

static __always_inline __u32 geneve_identity(const struct geneve_header *header)
{
	return bpf_ntohl(header->vni) >> 8;
}

static __always_inline __u32 geneve_options(const struct geneve_header *header)
{
	return (header->version_length & GENEVE_LENGTH_MASK) * 4;
}

/*
 * Once XDP has taken the tunnel off, the source address of the inner frame means nothing any more:
 * these three bytes ("vni", a unicast address of nobody's) and the identity take its place. Unlike
 * XDP metadata it works with every driver, and GRO joins only what has the same one. XDP lets no
 * frame in that bears them already.
 */
#define LABEL_0 0x76
#define LABEL_1 0x6e
#define LABEL_2 0x69

/* `source`: the source address of an Ethernet header. */
static __always_inline bool label_present(const __u8 *source)
{
	return source[0] == LABEL_0 && source[1] == LABEL_1 && source[2] == LABEL_2;
}

static __always_inline __u32 label_identity(const __u8 *source)
{
	return source[3] << 16 | source[4] << 8 | source[5];
}

static __always_inline void label_write(__u8 *source, __u32 identity)
{
	source[0] = LABEL_0;
	source[1] = LABEL_1;
	source[2] = LABEL_2;
	source[3] = identity >> 16;
	source[4] = identity >> 8;
	source[5] = identity;
}
