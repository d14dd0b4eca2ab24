/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The reserved identities that programs know by number; all others are opaque. */
#pragma once

#include "config.h"

enum reserved_identity {
	IDENTITY_UNKNOWN = 0,
	IDENTITY_HOST = 1,
	IDENTITY_WORLD = 2,
	IDENTITY_REMOTE_NODE = 6,
	IDENTITY_WORLD_IPV4 = 9,
	IDENTITY_WORLD_IPV6 = 10,
	IDENTITY_FIRST_ALLOCATED = 256, /* from here on: what clusters give to pods */
};

/* The identity of an address that nobody has told us about. */
static __always_inline __u32 identity_world(__u8 family)
{
	if (!(config.flags & CONFIG_DUAL_STACK))
		return IDENTITY_WORLD;
	return family == FAMILY_IPV4 ? IDENTITY_WORLD_IPV4 : IDENTITY_WORLD_IPV6;
}

/* "Host" means this node; another node must read it as "a remote node". */
static __always_inline __u32 identity_on_wire(__u32 identity)
{
	return identity == IDENTITY_HOST ? IDENTITY_REMOTE_NODE : identity;
}

/* Nobody else may claim to be nobody, or to be this very host. */
static __always_inline bool identity_valid_from_wire(__u32 identity)
{
	return identity != IDENTITY_UNKNOWN && identity != IDENTITY_HOST;
}

/* A pod of some cluster, as opposed to the world, a node, or nobody known. */
static __always_inline bool identity_is_allocated(__u32 identity)
{
	return identity >= IDENTITY_FIRST_ALLOCATED;
}
