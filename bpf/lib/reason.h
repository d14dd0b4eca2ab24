/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why a packet or a connection is refused. */
#pragma once

/* The numbers are those that Hubble and Cilium's dashboards know. */
enum drop_reason {
	DROP_INVALID_SOURCE = 132,
	DROP_POLICY_DENIED = 133,
	DROP_INVALID_PACKET = 134,
	DROP_FRAG_NEEDED = 136,
	DROP_UNKNOWN_L3 = 139,
	DROP_WRITE_ERROR = 141,
	DROP_NO_TUNNEL_KEY = 147,
	DROP_INVALID_GENEVE = 149, /* its header or an option: a version or a duty that we do not
				      know */
	DROP_UNROUTABLE = 151,
	DROP_FRAGMENT_UNSUPPORTED = 157,
	DROP_NO_BACKEND = 158,
	DROP_NO_TUNNEL_ENDPOINT = 160,
	DROP_NO_FIB = 169,	     /* the kernel has no way to the other node */
	DROP_ENCAP_PROHIBITED = 170, /* a pod's packet that a node would take for the tunnel's */
	DROP_INVALID_IDENTITY = 171,
	DROP_UNENCRYPTED_TRAFFIC = 195, /* it has to be encrypted and is not, or cannot be */
	DROP_TTL_EXCEEDED = 196,
	DROP_ENDPOINT_NOT_READY = 203,
	DROP_NO_DEVICE = 206,
};
