/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Whether an endpoint lets a packet through. */
#pragma once

#include "lookup.h"

/* There is no policy map yet, so an enforced direction has no entry, and no entry means no. */
static __always_inline bool policy_allows(const struct endpoint_value *endpoint, __u8 direction)
{
	if (direction == DIRECTION_INGRESS)
		return !(endpoint->flags & ENDPOINT_ENFORCE_INGRESS);
	return !(endpoint->flags & ENDPOINT_ENFORCE_EGRESS);
}
