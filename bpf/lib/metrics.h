/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counters per reason and direction. */
#pragma once

#include "maps.h"

enum metric_reason {
	METRIC_FORWARDED = 0,
	METRIC_EVENT_LOST = 128, /* the event ring was full; the packet itself is counted under its
				    own reason */
};

static __always_inline void metric_count(__u16 reason, __u8 direction, __u64 bytes)
{
	struct metric_key key = { .reason = reason, .direction = direction };
	struct metric_value first = { .packets = 1, .bytes = bytes };
	struct metric_value *value = bpf_map_lookup_elem(&isth_metrics, &key);

	if (value) {
		value->packets += 1;
		value->bytes += bytes;
		return;
	}
	bpf_map_update_elem(&isth_metrics, &key, &first, BPF_NOEXIST);
}
