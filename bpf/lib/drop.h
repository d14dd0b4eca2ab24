/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Dropping a packet of the kernel's. */
#pragma once

#include "drop-event.h"

static __always_inline void event_capture(struct __sk_buff *skb, struct datapath_event *event)
{
	__u32 last = capture_last(skb->len);

	event->captured_length = 0;
	if (last < EVENT_CAPTURE_MAX && bpf_skb_load_bytes(skb, 0, event->capture, last + 1) == 0)
		event->captured_length = last + 1;
}

static __noinline int drop(struct __sk_buff *skb, const struct flow *flow, __u16 reason)
{
	struct datapath_event *event = drop_event(flow, reason, skb->ifindex, skb->len);

	if (!event)
		return TC_ACT_SHOT;
	event_capture(skb, event);
	bpf_ringbuf_submit(event, 0);
	return TC_ACT_SHOT;
}
