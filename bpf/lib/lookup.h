/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who an address is. */
#pragma once

#include "identity.h"
#include "maps.h"

static __always_inline struct endpoint_value *endpoint_of(const struct addr_key *addr)
{
	return bpf_map_lookup_elem(&isth_endpoints, addr);
}

/* The key that the longest prefix around the address is found by. */
static __always_inline struct ipcache_key prefix_key_of(const struct addr_key *addr)
{
	struct ipcache_key key = { .prefixlen = IPCACHE_EXACT_BITS + 8 * ADDR_LEN, .addr = *addr };

	if (addr->family == FAMILY_IPV4)
		key.prefixlen = IPCACHE_EXACT_BITS + 32;
	return key;
}

static __always_inline struct ipcache_value *ipcache_of(const struct addr_key *addr)
{
	struct ipcache_key key = prefix_key_of(addr);

	return bpf_map_lookup_elem(&isth_ipcache, &key);
}

static __always_inline struct peer_value *peer_of(__u32 peer)
{
	return bpf_map_lookup_elem(&isth_peers, &peer);
}

/*
 * The identity of a source that came without a label. Where nodes are only ever reached through a
 * tunnel, a pod of another node cannot have sent this packet: its address is forged, and it gets no
 * more trust than any stranger. Where they may be reached natively, the two ends need not have
 * changed to that at the same moment.
 */
static __always_inline __u32 identity_of_native_source(const struct addr_key *addr)
{
	struct ipcache_value *entry = ipcache_of(addr);

	if (!entry)
		return identity_world(addr->family);
	if (!entry->peer || (entry->flags & IPCACHE_REMOTE_NODE) || (config.flags & CONFIG_NATIVE))
		return entry->identity;
	return identity_world(addr->family);
}
