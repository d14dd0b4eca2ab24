/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Every drop has a reason, a counter and an event with both identities. */
#pragma once

#include "event.h"
#include "flow.h"
#include "metrics.h"
#include "reason.h"

static __always_inline void event_capture(struct __sk_buff *skb, struct datapath_event *event)
{
	__u32 length = skb->len;

	event->captured_length = 0;
	if (length > EVENT_CAPTURE_MAX)
		length = EVENT_CAPTURE_MAX;
	if (length > 0 && bpf_skb_load_bytes(skb, 0, event->capture, length) == 0)
		event->captured_length = length;
}

static __noinline int drop(struct __sk_buff *skb, const struct flow *flow, __u16 reason)
{
	struct datapath_event *event;

	metric_count(reason, flow->direction, skb->len);
	event = bpf_ringbuf_reserve(&isth_events, sizeof(*event), 0);
	if (!event) {
		metric_count(METRIC_EVENT_LOST, flow->direction, skb->len);
		return TC_ACT_SHOT;
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
	event->ifindex = skb->ifindex;
	event->original_length = skb->len;
	event->argument = 0;
	event->cookie = 0;
	event_capture(skb, event);
	bpf_ringbuf_submit(event, 0);
	return TC_ACT_SHOT;
}
