/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which backend a socket gets for a service address, and which service a backend's address stands
 * for. */
#pragma once

#include "event.h"
#include "metrics.h"
#include "reason.h"
#include "socket.h"

enum translation {
	TRANSLATION_NONE = 0,	/* not a service: the address stays */
	TRANSLATION_DONE = 1,	/* the address is the backend's now */
	TRANSLATION_FAILED = 2, /* a service without a backend */
};

static __always_inline struct service_value *frontend_of(const struct socket_addr *to,
							 __u8 protocol, struct service_key *key)
{
	key->addr = to->addr;
	key->port = to->port;
	key->protocol = protocol;
	key->scope = 0;
	key->slot = 0;
	key->pad = 0;
	return bpf_map_lookup_elem(&isth_services, key);
}

static __always_inline struct backend_value *backend_in_slot(struct service_key *key, __u16 slot,
							     __u32 *id)
{
	struct service_value *value;

	key->slot = slot;
	value = bpf_map_lookup_elem(&isth_services, key);
	if (!value)
		return NULL;
	*id = value->backend;
	return bpf_map_lookup_elem(&isth_backends, id);
}

/* One at random; the first when the slot is just being rewritten. */
static __always_inline struct backend_value *pick(struct service_key *key, __u16 count, __u32 *id)
{
	struct backend_value *backend;

	if (count == 0)
		return NULL;
	backend = backend_in_slot(key, 1 + bpf_get_prandom_u32() % count, id);
	return backend ? backend : backend_in_slot(key, 1, id);
}

static __always_inline void nat_key(struct sock_nat_key *key, struct bpf_sock_addr *ctx,
				    const struct socket_addr *at, __u8 protocol, __u8 direction)
{
	key->cookie = bpf_get_socket_cookie(ctx);
	key->addr = at->addr;
	key->port = at->port;
	key->protocol = protocol;
	key->direction = direction;
}

static __always_inline void remember(struct bpf_sock_addr *ctx, const struct socket_addr *from,
				     const struct socket_addr *to, __u8 protocol, __u8 direction,
				     __u32 backend, __u16 revnat)
{
	struct sock_nat_key key;
	struct sock_nat_value value = {
		.addr = to->addr, .port = to->port, .revnat = revnat, .backend = backend
	};

	nat_key(&key, ctx, from, protocol, direction);
	bpf_map_update_elem(&isth_sock_nat, &key, &value, BPF_ANY);
}

/* The backend that this socket used for this service before, as long as that backend is there. */
static __always_inline struct backend_value *remembered(struct bpf_sock_addr *ctx,
							const struct socket_addr *service,
							__u8 protocol, __u16 revnat, __u32 *id)
{
	struct sock_nat_key key;
	struct sock_nat_value *value;
	struct backend_value *backend;

	nat_key(&key, ctx, service, protocol, SOCK_NAT_FORWARD);
	value = bpf_map_lookup_elem(&isth_sock_nat, &key);
	if (!value || value->revnat != revnat)
		return NULL;
	*id = value->backend;
	backend = bpf_map_lookup_elem(&isth_backends, id);
	/* An id may have been given to another backend since. */
	if (!backend || backend->port != value->port || !addr_equal(&backend->addr, &value->addr))
		return NULL;
	return backend;
}

static __always_inline void report_no_backend(struct bpf_sock_addr *ctx,
					      const struct socket_addr *service, __u8 protocol)
{
	struct datapath_event *event;
	struct event_socket *capture;

	metric_count(DROP_NO_BACKEND, DIRECTION_SERVICE, 0);
	event = bpf_ringbuf_reserve(&isth_events, sizeof(*event), 0);
	if (!event) {
		metric_count(METRIC_EVENT_LOST, DIRECTION_SERVICE, 0);
		return;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->version = EVENT_VERSION;
	event->type = EVENT_DROP;
	event->subtype = DROP_NO_BACKEND;
	event->direction = DIRECTION_SERVICE;
	event->flags = EVENT_CAPTURE_IS_SOCKET;
	event->time_ns = bpf_ktime_get_ns();
	event->captured_length = sizeof(*capture);
	event->cookie = bpf_get_socket_cookie(ctx);
	capture = (struct event_socket *) event->capture;
	capture->service = service->addr;
	capture->service_port = service->port;
	capture->protocol = protocol;
	bpf_ringbuf_submit(event, 0);
}

/* Rewrites `at` from the service to a backend. `sticky`: the socket is not connected, so each call
 * comes here anew. */
static __always_inline int translate(struct bpf_sock_addr *ctx, struct socket_addr *at,
				     __u8 protocol, bool sticky)
{
	struct socket_addr service = *at;
	struct service_key key;
	struct service_value *frontend = frontend_of(at, protocol, &key);
	struct backend_value *backend = NULL;
	__u32 id = 0;
	__u16 revnat;

	if (!frontend)
		return TRANSLATION_NONE;
	revnat = frontend->revnat;
	if (sticky && frontend->count)
		backend = remembered(ctx, at, protocol, revnat, &id);
	if (!backend)
		backend = pick(&key, frontend->count, &id);
	if (!backend || backend->addr.family != service.addr.family) {
		report_no_backend(ctx, &service, protocol);
		return TRANSLATION_FAILED;
	}
	at->addr = backend->addr;
	at->port = backend->port;
	remember(ctx, at, &service, protocol, SOCK_NAT_REVERSE, id, revnat);
	if (sticky)
		remember(ctx, &service, at, protocol, SOCK_NAT_FORWARD, id, revnat);
	return TRANSLATION_DONE;
}

/* Rewrites `at` from a backend to the service that this socket asked for. False: it asked for no
 * service. */
static __always_inline bool reverse(struct bpf_sock_addr *ctx, struct socket_addr *at,
				    __u8 protocol)
{
	struct sock_nat_key key;
	struct sock_nat_value *value;

	nat_key(&key, ctx, at, protocol, SOCK_NAT_REVERSE);
	value = bpf_map_lookup_elem(&isth_sock_nat, &key);
	if (!value)
		return false;
	at->addr = value->addr;
	at->port = value->port;
	return true;
}
