/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Dropping a frame that the kernel has not made a packet of yet. */
#pragma once

#include "drop-event.h"

static __noinline int xdp_drop(struct xdp_md *ctx, const struct flow *flow, __u16 reason)
{
	__u32 length = bpf_xdp_get_buff_len(ctx), last = capture_last(length);
	struct datapath_event *event = drop_event(flow, reason, ctx->ingress_ifindex, length);

	if (!event)
		return XDP_DROP;
	event->captured_length = 0;
	if (last < EVENT_CAPTURE_MAX && bpf_xdp_load_bytes(ctx, 0, event->capture, last + 1) == 0)
		event->captured_length = last + 1;
	bpf_ringbuf_submit(event, 0);
	return XDP_DROP;
}
