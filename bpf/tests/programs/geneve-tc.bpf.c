// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What not to do: GENEVE over IPv4 taken off at tc, behind GRO. The packet keeps the kernel's marks
 * of a tunnel, so a super-packet of datagrams is never cut again and is lost. The tests show it.
 */
#include "../../lib/geneve.h"
#include "../../lib/overlay.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define OUTER (sizeof(struct iphdr) + sizeof(struct udphdr) + sizeof(struct geneve_header))

SEC("tc")
int decap_geneve_tc(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_INGRESS };
	struct geneve_header geneve;
	struct udphdr udp;
	__u32 at = ETH_HLEN + sizeof(struct iphdr);

	if (skb->protocol != bpf_htons(ETH_P_IP) || parse(skb, &flow) ||
	    flow.protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, at, &udp, sizeof(udp)) ||
	    udp.dest != config.tunnel_port ||
	    bpf_skb_load_bytes(skb, at + sizeof(udp), &geneve, sizeof(geneve)))
		return TC_ACT_OK;
	if (bpf_skb_adjust_room(skb, -(__s32) (OUTER + ETH_HLEN), BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO))
		return TC_ACT_SHOT;
	return from_tunnel(skb, &flow, geneve_identity(&geneve));
}
