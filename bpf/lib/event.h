/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one record of the event ring. The header is final: a reader checks `version`, takes fields by
 * these offsets, and finds `captured_length` bytes behind them. A new need gets a new type or a
 * flag, never another header.
 */
#pragma once

#include "addr.h"

enum event_constant {
	EVENT_VERSION = 1,
	EVENT_CAPTURE_MAX = 128, /* bytes of packet in one event */
};

enum event_type {
	EVENT_DROP = 1,	   /* subtype: enum drop_reason */
	EVENT_TRACE = 2,   /* subtype: enum trace_point */
	EVENT_VERDICT = 3, /* subtype: 0 denied, 1 allowed, 2 to a proxy; argument: the rule's
			      precedence; cookie: the rule's */
	EVENT_SOCKET = 4,  /* subtype: enum socket_event; cookie: the socket's; capture: struct
			      event_socket */
};

enum event_flag {
	EVENT_CAPTURE_IS_IP =
		1, /* the capture starts at the IP header; otherwise at the Ethernet header */
	EVENT_CAPTURE_IS_SOCKET = 2, /* the capture is a struct event_socket */
};

enum trace_point {
	TRACE_TO_ENDPOINT = 0,
	TRACE_TO_PROXY = 1,
	TRACE_TO_HOST = 2,
	TRACE_TO_STACK = 3,
	TRACE_TO_OVERLAY = 4,
	TRACE_FROM_ENDPOINT = 5,
	TRACE_FROM_PROXY = 6,
	TRACE_FROM_HOST = 7,
	TRACE_FROM_STACK = 8,
	TRACE_FROM_OVERLAY = 9,
	TRACE_FROM_NETWORK = 10,
	TRACE_TO_NETWORK = 11,
	TRACE_FROM_CRYPTO = 12,
	TRACE_TO_CRYPTO = 13,
};

enum socket_event {
	SOCKET_TRANSLATED = 1,
	SOCKET_REVERSED = 2,
};

struct datapath_event {
	__u8 version;
	__u8 type;
	__u16 subtype;
	__u16 endpoint; /* local endpoint's id; 0: none is known */
	__u8 direction;
	__u8 flags;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 source_identity;
	__u32 destination_identity;
	__u32 ifindex;
	__u32 original_length; /* bytes of the whole packet, Ethernet header included */
	__u32 captured_length; /* bytes valid in `capture`, at most EVENT_CAPTURE_MAX */
	__u32 argument;	       /* by type */
	__u64 cookie;	       /* by type */
	__u8 capture[EVENT_CAPTURE_MAX];
};

/* What a socket event captures. */
struct event_socket {
	struct addr_key service;
	struct addr_key backend;
	__be16 service_port;
	__be16 backend_port;
	__u8 protocol;
	__u8 pad[3];
};
