// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The verifier must refuse this: the packet's length is not checked. */
#include "../../lib/common.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tc")
int reads_beyond(struct __sk_buff *skb)
{
	struct iphdr *ip = (void *) (long) skb->data + ETH_HLEN;

	return ip->ttl;
}
