/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A socket address as the map key it stands for. IPv4-mapped addresses are IPv4. */
#pragma once

#include "addr.h"

struct socket_addr {
	struct addr_key addr;
	__be16 port;
	__u16 pad;
};

static __always_inline void socket_read_ipv4(struct bpf_sock_addr *ctx, struct socket_addr *to)
{
	addr_set_ipv4(&to->addr, ctx->user_ip4);
	to->port = ctx->user_port;
	to->pad = 0;
}

static __always_inline void socket_read_ipv6(struct bpf_sock_addr *ctx, struct socket_addr *to)
{
	__be32 words[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2],
			    ctx->user_ip6[3] };

	if (words_are_mapped(words))
		addr_set_ipv4(&to->addr, words[3]);
	else
		addr_set_ipv6(&to->addr, words);
	to->port = ctx->user_port;
	to->pad = 0;
}

static __always_inline void socket_write_ipv4(struct bpf_sock_addr *ctx,
					      const struct addr_key *addr, __be16 port)
{
	ctx->user_ip4 = addr_word(addr, 0);
	ctx->user_port = port;
}

/* The translated address has the family of the one that was read, so an IPv4 one stays mapped. */
static __always_inline void socket_write_ipv6(struct bpf_sock_addr *ctx,
					      const struct addr_key *addr, __be16 port)
{
	if (addr->family == FAMILY_IPV4) {
		ctx->user_ip6[3] = addr_word(addr, 0);
	} else {
		ctx->user_ip6[0] = addr_word(addr, 0);
		ctx->user_ip6[1] = addr_word(addr, 1);
		ctx->user_ip6[2] = addr_word(addr, 2);
		ctx->user_ip6[3] = addr_word(addr, 3);
	}
	ctx->user_port = port;
}
