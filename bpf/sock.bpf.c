// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Services at the socket: a client's connect or sendmsg to a service address goes to a backend, and
 * what it reads back (recvmsg, getpeername) names the service again. No packet is rewritten. TCP
 * and UDP, IPv4 and IPv6.
 */
#include "lib/mark.h"
#include "lib/service.h"

#define ECONNREFUSED 111
#define ALLOW	     1
#define REFUSE	     0

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline bool balanced(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static __always_inline int refuse(void)
{
	bpf_set_retval(-ECONNREFUSED);
	return REFUSE;
}

static __always_inline int forward_ipv4(struct bpf_sock_addr *ctx, bool sticky)
{
	struct socket_addr at;
	__u8 protocol = ctx->protocol;
	int result;

	if (!balanced(protocol))
		return ALLOW;
	socket_read_ipv4(ctx, &at);
	result = translate(ctx, &at, protocol, sticky);
	if (result == TRANSLATION_FAILED)
		return refuse();
	if (result == TRANSLATION_DONE)
		socket_write_ipv4(ctx, &at.addr, at.port);
	return ALLOW;
}

static __always_inline int forward_ipv6(struct bpf_sock_addr *ctx, bool sticky)
{
	struct socket_addr at;
	__u8 protocol = ctx->protocol;
	int result;

	if (!balanced(protocol))
		return ALLOW;
	socket_read_ipv6(ctx, &at);
	result = translate(ctx, &at, protocol, sticky);
	if (result == TRANSLATION_FAILED)
		return refuse();
	if (result == TRANSLATION_DONE)
		socket_write_ipv6(ctx, &at.addr, at.port);
	return ALLOW;
}

static __always_inline int reverse_ipv4(struct bpf_sock_addr *ctx)
{
	struct socket_addr at;

	socket_read_ipv4(ctx, &at);
	if (reverse(ctx, &at, ctx->protocol))
		socket_write_ipv4(ctx, &at.addr, at.port);
	return ALLOW;
}

static __always_inline int reverse_ipv6(struct bpf_sock_addr *ctx)
{
	struct socket_addr at;

	socket_read_ipv6(ctx, &at);
	if (reverse(ctx, &at, ctx->protocol))
		socket_write_ipv6(ctx, &at.addr, at.port);
	return ALLOW;
}

/* Its sockets send to nodes, packet by packet, and are sent to by them: never to a service. */
static __always_inline bool of_wireguard(const struct bpf_sock_addr *ctx)
{
	const struct bpf_sock *sk = ctx->sk;

	return sk && (sk->mark & MARK_KIND_MASK) == MARK_KIND_ENCRYPTED;
}

SEC("cgroup/connect4")
int sock_connect4(struct bpf_sock_addr *ctx)
{
	return forward_ipv4(ctx, false);
}

SEC("cgroup/connect6")
int sock_connect6(struct bpf_sock_addr *ctx)
{
	return forward_ipv6(ctx, false);
}

SEC("cgroup/sendmsg4")
int sock_sendmsg4(struct bpf_sock_addr *ctx)
{
	return of_wireguard(ctx) ? ALLOW : forward_ipv4(ctx, true);
}

SEC("cgroup/sendmsg6")
int sock_sendmsg6(struct bpf_sock_addr *ctx)
{
	return of_wireguard(ctx) ? ALLOW : forward_ipv6(ctx, true);
}

SEC("cgroup/recvmsg4")
int sock_recvmsg4(struct bpf_sock_addr *ctx)
{
	return of_wireguard(ctx) ? ALLOW : reverse_ipv4(ctx);
}

SEC("cgroup/recvmsg6")
int sock_recvmsg6(struct bpf_sock_addr *ctx)
{
	return of_wireguard(ctx) ? ALLOW : reverse_ipv6(ctx);
}

SEC("cgroup/getpeername4")
int sock_getpeername4(struct bpf_sock_addr *ctx)
{
	return reverse_ipv4(ctx);
}

SEC("cgroup/getpeername6")
int sock_getpeername6(struct bpf_sock_addr *ctx)
{
	return reverse_ipv6(ctx);
}
