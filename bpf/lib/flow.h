/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What one run of a program knows about its packet. */
#pragma once

#include "addr.h"

struct flow {
	struct addr_key src;
	struct addr_key dst;
	__u32 source_identity;
	__u32 destination_identity;
	__u16 endpoint; /* the local endpoint that the packet comes from or goes to */
	__u8 direction;
	__u8 protocol; /* the header right behind the IP header: IPv6 extension headers are not
			  walked */
	__u8 ttl;
	bool dont_fragment;
	__u8 ecn; /* RFC 3168 §5 */
	__u8 pad;
};
