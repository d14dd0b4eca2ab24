/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every map and its rows. The loader pins each under its own name in the agent's folder, so all
 * objects share them. Changing a row, a size or a type here changes a pinned layout: it needs a
 * migration.
 */
#pragma once

#include "addr.h"

/* Rows that a map holds. */
enum map_limit {
	MAX_ENDPOINTS = 16384,
	MAX_IPCACHE = 512000,
	MAX_PEERS = 65536,
	MAX_MESH_RANGES = 131072,
	MAX_ENCRYPT_EXEMPT = 1024,
	MAX_SERVICES = 262144,
	MAX_BACKENDS = 131072,
	MAX_REVNAT = 65536,
	MAX_SOCK_NAT = 65536,
	MAX_METRICS = 1024,
	MAX_EVENT_RING_BYTES = 4 << 20,
};

enum ipcache_constant {
	IPCACHE_EXACT_BITS = 32, /* net, family and pad are always matched in full */
};

enum endpoint_flag {
	ENDPOINT_READY = 1,
	ENDPOINT_HOST = 2, /* an address of this node itself, not of a pod */
	ENDPOINT_ENFORCE_INGRESS = 4,
	ENDPOINT_ENFORCE_EGRESS = 8,
};

/* isth_endpoints: addr_key -> what lives here. mac and node_mac are adjacent: both are written in
 * one go. */
struct endpoint_value {
	__u32 ifindex; /* host side of the pod's veth */
	__u32 identity;
	__u16 id;
	__u16 flags;
	__u32 policy_id;
	__u32 generation;
	__u32 rate; /* bytes per second; 0: unlimited */
	__u16 class;
	__u8 mac[MAC_LEN];	/* the pod's eth0 */
	__u8 node_mac[MAC_LEN]; /* the host side of the veth */
	__u8 pad[2];
};

enum ipcache_flag {
	IPCACHE_REMOTE_NODE = 1,  /* an address of another node */
	IPCACHE_TUNNEL_HOST = 2,  /* such an address, reached through the tunnel */
	IPCACHE_IN_THE_CLEAR = 4, /* such an address, to which nodes' own packets go as they are */
};

/* isth_ipcache: longest prefix -> identity, and the peer that it is behind. */
struct ipcache_key {
	__u32 prefixlen; /* IPCACHE_EXACT_BITS + address bits */
	struct addr_key addr;
};

struct ipcache_value {
	__u32 identity;
	__u32 peer; /* 0: not behind a peer, the kernel routes it */
	__u32 flags;
	__u16 cluster; /* whose row this is: rows are pruned cluster by cluster */
	__u16 pad;
};

enum peer_mode {
	PEER_TUNNEL = 1,
	PEER_NATIVE = 2, /* the kernel's routes lead there */
	PEER_CLOSED = 3, /* no way is known that may be used */
};

enum peer_tx {
	TX_CLOSED = 0, /* nothing may be sent */
	TX_EVEN = 1,
	TX_ODD = 2,
};

/* isth_peers: peer -> how to reach that node. */
struct peer_value {
	__u8 family; /* of the tunnel address */
	__u8 mode;
	__u8 tx; /* WireGuard device that sends there; read only where encryption is on */
	__u8 pad;
	__u8 addr[ADDR_LEN];
	__u16 cluster;
	__u16 pad2;
};

/* isth_mesh_ranges: pod CIDR of another node -> the peer that it is behind. Here lie addresses that
 * nobody has told us about, and yet are no world's. */
struct mesh_range_value {
	__u32 peer; /* 0: not known */
	__u16 cluster;
	__u16 pad;
};

/* isth_encrypt_exempt: what nodes send each other as it is, by the port of either side. The value
 * says nothing. */
struct encrypt_exempt_key {
	__u8 protocol;
	__u8 pad;
	__be16 port;
};

/* isth_services: slot 0 is the frontend, slots 1..count name its backends. */
struct service_key {
	struct addr_key addr;
	__be16 port;
	__u8 protocol;
	__u8 scope; /* 0: seen from anywhere */
	__u16 slot;
	__u16 pad;
};

struct service_value {
	__u32 backend; /* slots from 1 on */
	__u16 count;   /* slot 0 */
	__u16 revnat;
	__u32 flags;
	__u32 affinity_timeout; /* seconds; 0: none */
};

/* isth_backends: backend id -> where it listens. */
struct backend_value {
	struct addr_key addr;
	__be16 port;
	__u8 protocol;
	__u8 flags;
	__u16 cluster;
	__u16 pad;
};

/* isth_revnat: revnat id (a u32) -> the frontend that it stands for. */
struct revnat_value {
	struct addr_key addr;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};

enum sock_nat_direction {
	SOCK_NAT_REVERSE = 0, /* backend -> service, for recvmsg and getpeername */
	SOCK_NAT_FORWARD =
		1, /* service -> backend, keeps an unconnected UDP socket on its backend */
};

/* isth_sock_nat: per socket, what was translated into what. */
struct sock_nat_key {
	__u64 cookie;
	struct addr_key addr;
	__be16 port;
	__u8 protocol;
	__u8 direction;
};

struct sock_nat_value {
	struct addr_key addr;
	__be16 port;
	__u16 revnat;
	__u32 backend;
};

/* isth_metrics: packets and bytes per reason (0: forwarded) and direction. */
struct metric_key {
	__u16 reason;
	__u8 direction;
	__u8 pad;
};

struct metric_value {
	__u64 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct addr_key);
	__type(value, struct endpoint_value);
	__uint(max_entries, MAX_ENDPOINTS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__type(key, struct ipcache_key);
	__type(value, struct ipcache_value);
	__uint(max_entries, MAX_IPCACHE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_ipcache SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct peer_value);
	__uint(max_entries, MAX_PEERS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_peers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__type(key, struct ipcache_key);
	__type(value, struct mesh_range_value);
	__uint(max_entries, MAX_MESH_RANGES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_mesh_ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct encrypt_exempt_key);
	__type(value, __u8);
	__uint(max_entries, MAX_ENCRYPT_EXEMPT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_encrypt_exempt SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct service_key);
	__type(value, struct service_value);
	__uint(max_entries, MAX_SERVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_services SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct backend_value);
	__uint(max_entries, MAX_BACKENDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_backends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, __u32);
	__type(value, struct revnat_value);
	__uint(max_entries, MAX_REVNAT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} isth_revnat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct sock_nat_key);
	__type(value, struct sock_nat_value);
	__uint(max_entries, MAX_SOCK_NAT);
} isth_sock_nat SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__type(key, struct metric_key);
	__type(value, struct metric_value);
	__uint(max_entries, MAX_METRICS);
} isth_metrics SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MAX_EVENT_RING_BYTES);
} isth_events SEC(".maps");
