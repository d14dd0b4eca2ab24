// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Maps as an earlier version might have had them: fields elsewhere, of other sizes, missing, or
 * since gone. */
#include "../../lib/maps.h"

struct previous_peer {
	__u8 addr[ADDR_LEN];
	__u32 cluster; /* larger than today's */
	__u8 family;
	__u8 mode; /* no tx */
	__u16 forgotten;
};

struct previous_counter {
	__u64 bytes;
	__u32 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct previous_peer);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} previous_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, struct metric_key);
	__type(value, struct previous_counter);
	__uint(max_entries, MAX_METRICS);
} previous_metrics SEC(".maps");

/* The same size as today's, and yet another layout. */
struct previous_revnat {
	struct addr_key addr;
	__u8 protocol;
	__u8 pad;
	__be16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct previous_revnat);
	__uint(max_entries, MAX_REVNAT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} previous_revnat SEC(".maps");

/* The port is no number of the network's order here: nobody can tell what that means. */
struct previous_backend {
	struct addr_key addr;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct previous_backend);
	__uint(max_entries, MAX_BACKENDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} previous_backends SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
