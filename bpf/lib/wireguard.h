/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Packets to other nodes are encrypted by one of two WireGuard devices, even or odd, as the peer's
 * `tx` says; where it says neither, there is no way that may be used. */
#pragma once

#include "lookup.h"

/* What must be encrypted and cannot be is dropped, unless a mesh is just being changed to
 * encryption. */
static __always_inline bool encryption_is_strict(void)
{
	const __u32 strict = CONFIG_ENCRYPT | CONFIG_ENCRYPT_STRICT;

	return (config.flags & strict) == strict;
}

/* Dropped here already, a pod's packet is seen with the pod's identity, and is in no tunnel yet. */
static __always_inline bool must_not_be_sent_to(const struct peer_value *peer)
{
	return encryption_is_strict() && peer->tx == TX_CLOSED;
}

/* What an address is among the other nodes. */
struct mesh_place {
	__u32 peer; /* 0: not known which */
	__u32 identity;
	bool node;	   /* a node's own address; a pod's otherwise */
	bool in_the_clear; /* of a node that takes nodes' own packets as they are */
};

/* False: the address is this node's, or no node's. Of addresses that nobody has told us about those
 * inside the pod CIDRs are pods. */
static __always_inline bool find_in_mesh(const struct addr_key *addr, struct mesh_place *place)
{
	struct ipcache_value *entry = ipcache_of(addr);
	struct mesh_range_value *range;
	struct ipcache_key key;

	place->identity = entry ? entry->identity : identity_world(addr->family);
	if (entry && entry->peer) {
		place->peer = entry->peer;
		place->node = entry->flags & IPCACHE_REMOTE_NODE;
		place->in_the_clear = entry->flags & IPCACHE_IN_THE_CLEAR;
		return true;
	}
	key = prefix_key_of(addr);
	range = bpf_map_lookup_elem(&isth_mesh_ranges, &key);
	if (!range)
		return false;
	place->peer = range->peer;
	place->node = false;
	place->in_the_clear = false;
	return true;
}

/* The WireGuard device that sends to the peer; 0: none may. */
static __always_inline __u32 wireguard_device_to(__u32 id)
{
	struct peer_value *peer = peer_of(id);

	if (peer && peer->tx == TX_EVEN)
		return config.wireguard_even_ifindex;
	if (peer && peer->tx == TX_ODD)
		return config.wireguard_odd_ifindex;
	return 0;
}
