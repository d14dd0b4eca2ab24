// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Leaving for the network: tc egress of the physical devices, where encryption is on. Whatever its
 * way through the stack or a tunnel was, a packet to another node passes here; it goes into a
 * WireGuard device, and comes by a second time in what that sends.
 */
#include "lib/mark.h"
#include "lib/neighbor.h"
#include "lib/tunnel-port.h"
#include "lib/wireguard.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool port_is_exempt(__u8 protocol, __be16 port)
{
	struct encrypt_exempt_key key = { .protocol = protocol, .port = port };

	return bpf_map_lookup_elem(&isth_encrypt_exempt, &key);
}

/* What nodes need to send each other before they can encrypt anything. */
static __always_inline bool is_exempt(struct __sk_buff *skb, const struct flow *flow,
				      const struct upper *upper)
{
	__be16 ports[2];

	if (is_neighbor_discovery(skb, flow))
		return true;
	if (upper->state != UPPER_FOUND ||
	    (upper->protocol != IPPROTO_TCP && upper->protocol != IPPROTO_UDP))
		return false;
	if (bpf_skb_load_bytes(skb, upper->offset, ports, sizeof(ports)))
		return false;
	return port_is_exempt(upper->protocol, ports[0]) ||
	       port_is_exempt(upper->protocol, ports[1]);
}

static __always_inline bool is_from_own_pod(const struct flow *flow)
{
	struct endpoint_value *from = endpoint_of(&flow->src);

	return from && !(from->flags & ENDPOINT_HOST);
}

/* To another node: whether it may go only encrypted. */
static __always_inline bool must_be_encrypted(struct __sk_buff *skb, const struct flow *flow,
					      const struct mesh_place *to)
{
	struct upper upper = {};

	if (!to->node || is_from_own_pod(flow))
		return true;
	find_upper(skb, flow, &upper);
	if (upper_may_be_for_tunnel(skb, &upper))
		return true;
	return (config.flags & CONFIG_ENCRYPT_NODE) && !to->in_the_clear &&
	       !is_exempt(skb, flow, &upper);
}

static __always_inline int send_as_it_is(struct __sk_buff *skb, struct flow *flow)
{
	struct endpoint_value *from = endpoint_of(&flow->src);

	if (!encryption_is_strict())
		return TC_ACT_OK;
	if (from) {
		flow->source_identity = from->identity;
		flow->endpoint = from->id;
	}
	return drop(skb, flow, DROP_UNENCRYPTED_TRAFFIC);
}

SEC("tc")
int to_netdev(struct __sk_buff *skb)
{
	struct flow flow = { .direction = DIRECTION_EGRESS };
	struct mesh_place to = {};
	__u32 device;
	int reason;

	if (!is_ip(skb) || (skb->mark & MARK_KIND_MASK) == MARK_KIND_ENCRYPTED)
		return TC_ACT_OK;
	reason = parse(skb, &flow);
	if (reason)
		return drop(skb, &flow, reason);
	if (!find_in_mesh(&flow.dst, &to)) {
		/* The tunnel leads to nodes, so this is one that we do not know yet. */
		return is_for_tunnel(skb, &flow) ? send_as_it_is(skb, &flow) : TC_ACT_OK;
	}
	if (!must_be_encrypted(skb, &flow, &to))
		return TC_ACT_OK;
	flow.destination_identity = to.identity;
	device = wireguard_device_to(to.peer);
	return device ? bpf_redirect(device, 0) : send_as_it_is(skb, &flow);
}
