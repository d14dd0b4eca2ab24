// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* BPF_PROG_TEST_RUN cannot give a packet a tunnel key, so this entry takes the identity from
 * skb->mark. */
#include "../../lib/overlay.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int from_overlay_by_mark(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };

	return from_tunnel(skb, &flow, skb->mark);
}
