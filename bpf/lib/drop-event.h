/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Every drop has a reason, a counter and an event with both identities. */
#pragma once

#include "event.h"
#include "flow.h"
#include "metrics.h"
#include "reason.h"

/* Counts the drop and reserves its event, with everything but the capture. NULL: the ring is full.
 */
static __always_inline struct datapath_event *drop_event(const struct flow *flow, __u16 reason,
							 __u32 ifindex, __u32 length)
{
	struct datapath_event *event;

	metric_count(reason, flow->direction, length);
	event = bpf_ringbuf_reserve(&isth_events, sizeof(*event), 0);
	if (!event) {
		metric_count(METRIC_EVENT_LOST, flow->direction, length);
		return NULL;
	}
	event->version = EVENT_VERSION;
	event->type = EVENT_DROP;
	event->subtype = reason;
	event->endpoint = flow->endpoint;
	event->direction = flow->direction;
	event->flags = 0;
	event->time_ns = bpf_ktime_get_ns();
	event->source_identity = flow->source_identity;
	event->destination_identity = flow->destination_identity;
	event->ifindex = ifindex;
	event->original_length = length;
	event->argument = 0;
	event->cookie = 0;
	return event;
}

/*
 * Index of the last byte to capture; EVENT_CAPTURE_MAX or more when there is none. Not the number
 * of bytes: the verifier of Linux 6.1 does not learn from a comparison with zero that there are
 * some.
 */
static __always_inline __u32 capture_last(__u32 length)
{
	__u32 last = length > EVENT_CAPTURE_MAX ? EVENT_CAPTURE_MAX - 1 : length - 1;

	barrier_var(last);
	return last;
}
