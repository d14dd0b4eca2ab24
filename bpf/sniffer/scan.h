/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Looks for the bytes that a lab's flows begin their packets with, wherever in a frame they are. */
#pragma once

#include "../lib/common.h"

#define MAGIC_BYTES 8
/* "ISTHflow" (lab/src/traffic/flow.h) */
#define MAGIC 0x776f6c6648545349ull
/* A power of two. */
#define CHUNK_BYTES 4096
/* Each begins with what the last one ended in. */
#define CHUNK_STEP (CHUNK_BYTES - MAGIC_BYTES + 1)
/* Of the largest packet that is cut into segments only later. */
#define MAX_CHUNKS 17
/* At so many places in a turn. */
#define LOOKS	8
#define NOWHERE (~0u)

struct chunk {
	__u8 bytes[CHUNK_BYTES + MAGIC_BYTES];
};

/* A packet is copied here piece by piece: it need not lie in one, and has no fixed length. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct chunk);
} sniff_chunk SEC(".maps");

/* Which of the eight bytes one is, counted from 1: each is there once. 0: none. */
static const __u8 place_in_magic[256] = {
	['I'] = 1, ['S'] = 2, ['T'] = 3, ['H'] = 4, ['f'] = 5, ['l'] = 6, ['o'] = 7, ['w'] = 8,
};

struct scan {
	struct __sk_buff *skb;
	struct chunk *chunk;
	__u32 length; /* of the frame */
	__u32 offset; /* of the chunk in it */
	__u32 at;     /* in the chunk */
	__u32 last;   /* where the eight bytes may begin there */
	__u32 found;  /* in the frame, or NOWHERE */
	bool failed;
};

/* What the last of eight bytes is says how many of them it can be no beginning in. True: there is
 * no more to look at. */
static __always_inline bool look_here(struct scan *scan)
{
	__u32 at = scan->at & (CHUNK_BYTES - 1);
	const __u8 *here = scan->chunk->bytes + at;
	__u8 place = place_in_magic[here[MAGIC_BYTES - 1]];

	if (scan->at > scan->last)
		return true;
	if (place == MAGIC_BYTES && *(const __u64 *) here == MAGIC) {
		scan->found = scan->offset + at;
		return true;
	}
	scan->at += place == MAGIC_BYTES ? MAGIC_BYTES : MAGIC_BYTES - place;
	return false;
}

/* A call for each of them would take longer than they do. */
static long look_on(__u32 turn, struct scan *scan)
{
#pragma unroll
	for (int i = 0; i < LOOKS; i++)
		if (look_here(scan))
			return 1;
	return 0;
}

static long look_at_chunk(__u32 turn, struct scan *scan)
{
	__u32 length = scan->length - scan->offset;

	if (length > CHUNK_BYTES)
		length = CHUNK_BYTES;
	if (length < MAGIC_BYTES)
		return 1;
	if (bpf_skb_load_bytes(scan->skb, scan->offset, scan->chunk->bytes, length)) {
		scan->failed = true;
		return 1;
	}
	scan->at = 0;
	scan->last = length - MAGIC_BYTES;
	bpf_loop(CHUNK_BYTES / LOOKS, look_on, scan, 0);
	if (scan->found != NOWHERE || scan->offset + length == scan->length)
		return 1;
	scan->offset += CHUNK_STEP;
	return 0;
}

/* Where in the frame the first such bytes are, or NOWHERE. False: not all of it could be read. */
static __always_inline bool find_magic(struct __sk_buff *skb, __u32 *found)
{
	__u32 none = 0;
	struct scan scan = { .skb = skb, .length = skb->len, .found = NOWHERE };

	*found = NOWHERE;
	scan.chunk = bpf_map_lookup_elem(&sniff_chunk, &none);
	if (!scan.chunk)
		return false;
	if (scan.length > MAX_CHUNKS * CHUNK_STEP)
		return false;
	bpf_loop(MAX_CHUNKS, look_at_chunk, &scan, 0);
	*found = scan.found;
	return !scan.failed;
}
