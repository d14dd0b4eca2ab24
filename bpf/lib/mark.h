/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every bit of skb->mark. Final: other software (iptables rules, policy routing, proxies) relies on
 * it.
 *
 *   31           16 15    12 11    8 7            0
 *   identity 15..0  others'  kind    identity 23..16
 *
 * Bits 15..12 belong to others (kube-proxy uses 0x4000 and 0x8000) and are left as they are. The
 * identity bits count only when the kind says so; 24 bits are also what a VNI holds.
 */
#pragma once

#include "common.h"

enum mark_bits {
	MARK_KIND_MASK = 0x0f00,
	MARK_KIND_NONE = 0x0000,
	MARK_KIND_TO_PROXY = 0x0200, /* upper 16 bits: the proxy's port, network order */
	MARK_KIND_PROXY_INGRESS =
		0x0a00, /* sent by the proxy for the identity, towards a local pod */
	MARK_KIND_PROXY_EGRESS =
		0x0b00,		 /* sent by the proxy for the identity, away from a local pod */
	MARK_KIND_HOST = 0x0c00, /* sent by this host itself */
	MARK_KIND_DECRYPTED = 0x0d00, /* arrived encrypted */
	MARK_KIND_ENCRYPTED = 0x0e00, /* already encrypted: never encrypt again */
	MARK_KIND_IDENTITY = 0x0f00,  /* sent on behalf of the identity */
	MARK_OTHERS_MASK = 0xf000,
};

static __always_inline bool mark_has_identity(__u32 mark)
{
	__u32 kind = mark & MARK_KIND_MASK;

	return kind == MARK_KIND_IDENTITY || kind == MARK_KIND_PROXY_INGRESS ||
	       kind == MARK_KIND_PROXY_EGRESS;
}

static __always_inline __u32 mark_identity(__u32 mark)
{
	return (mark >> 16) | ((mark & 0xff) << 16);
}

static __always_inline __u32 mark_with_identity(__u32 kind, __u32 identity)
{
	return kind | ((identity & 0xffff) << 16) | ((identity >> 16) & 0xff);
}
