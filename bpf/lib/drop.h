/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Dropping a packet of the kernel's. */
#pragma once

#include "drop-event.h"

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
	struct datapath_event *event = drop_event(flow, reason, skb->ifindex, skb->len);

	if (!event)
		return TC_ACT_SHOT;
	event_capture(skb, event);
	bpf_ringbuf_submit(event, 0);
	return TC_ACT_SHOT;
}
