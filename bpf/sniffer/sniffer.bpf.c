// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Looks at every frame at the far end of a lab's cable, as the near end sent it and as it is sent
 * there, and changes nothing. Counters are the truth; events say what a forbidden frame looked
 * like. */
#include "frame.h"
#include "scan.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define CAPTURE_BYTES 128
#define MAX_FLOWS     8192
#define MAX_COUNTS    256 /* two directions and two phases of 64 cables */
#define RING_BYTES    (1 << 20)

enum cable_direction {
	FROM_STATION, /* which is a node or a control plane */
	TO_STATION,
};

/* What the lab expects at the time. */
enum phase {
	PHASE_ENCRYPTED,
	PHASE_PLAIN, /* somebody turned encryption off, to see whether it is noticed */
	PHASES,
};

struct sniffer_config {
	__u32 cable;  /* number */
	__u32 judges; /* 0: nothing is forbidden here, only counted */
};

const volatile struct sniffer_config config SEC(".rodata.config") = {};

struct cable_count {
	__u64 frames;
	__u64 readable; /* the packet of a flow can be read in it */
	__u64 lost;	/* events, and rows of sniff_flows, that there was no room for */
	__u64 kinds[KINDS];
};

struct flow_count {
	__u64 packets;
	__u64 bare; /* with no tunnel's headers around them */
};

struct sniff_event {
	__u64 time_ns;
	__u32 cable;
	__u32 direction;
	__u32 phase;
	__u32 kind;
	__u32 length; /* of the frame */
	__u32 captured;
	__u8 bytes[CAPTURE_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_COUNTS);
	__type(key, __u32);
	__type(value, struct cable_count);
} sniff_counts SEC(".maps");

/* By the flow's id, as they left a station. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_FLOWS);
	__type(key, __u64);
	__type(value, struct flow_count);
} sniff_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sniff_phase SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} sniff_events SEC(".maps");

static __always_inline __u32 phase_now(void)
{
	__u32 none = 0, *phase = bpf_map_lookup_elem(&sniff_phase, &none);

	return phase && *phase < PHASES ? *phase : PHASE_ENCRYPTED;
}

/* False: the table of flows is full. */
static __always_inline bool count_flow(struct __sk_buff *skb, const struct frame *frame,
				       __u32 found)
{
	struct flow_count first = {}, *count;
	__u64 id;

	if (bpf_skb_load_bytes(skb, found + MAGIC_BYTES, &id, sizeof(id)))
		return true;
	bpf_map_update_elem(&sniff_flows, &id, &first, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&sniff_flows, &id);
	if (!count)
		return false;
	__sync_fetch_and_add(&count->packets, 1);
	if (frame->protocol == IPPROTO_UDP && found == frame->upper + UDP_BYTES)
		__sync_fetch_and_add(&count->bare, 1);
	return true;
}

/* False: the ring is full. */
static __always_inline bool tell(struct __sk_buff *skb, __u32 direction, __u32 phase, __u32 kind)
{
	struct sniff_event *event = bpf_ringbuf_reserve(&sniff_events, sizeof(*event), 0);
	__u32 captured = skb->len;

	if (!event)
		return false;
	if (captured > CAPTURE_BYTES)
		captured = CAPTURE_BYTES;
	event->time_ns = bpf_ktime_get_ns();
	event->cable = config.cable;
	event->direction = direction;
	event->phase = phase;
	event->kind = kind;
	event->length = skb->len;
	__builtin_memset(event->bytes, 0, CAPTURE_BYTES);
	if (captured < ETH_HLEN || bpf_skb_load_bytes(skb, 0, event->bytes, captured))
		captured = 0;
	event->captured = captured;
	bpf_ringbuf_submit(event, 0);
	return true;
}

static __always_inline void look(struct __sk_buff *skb, __u32 direction)
{
	struct frame frame = {};
	__u32 phase = phase_now(), found, at;
	struct cable_count *count;
	bool whole;

	at = (config.cable * 2 + direction) * PHASES + phase;
	count = bpf_map_lookup_elem(&sniff_counts, &at);
	if (!count)
		return;
	count->frames++;
	read_frame(skb, &frame, config.judges);
	whole = find_magic(skb, &found);
	if (found != NOWHERE) {
		count->readable++;
		if (direction == FROM_STATION && !count_flow(skb, &frame, found))
			count->lost++;
	}
	if (!config.judges)
		return;
	if (frame.kind < KIND_FORBIDDEN && found != NOWHERE)
		frame.kind = KIND_READABLE;
	if (frame.kind < KIND_FORBIDDEN && !whole)
		frame.kind = KIND_MALFORMED;
	if (frame.kind < KINDS)
		count->kinds[frame.kind]++;
	if (frame.kind >= KIND_FORBIDDEN && !tell(skb, direction, phase, frame.kind))
		count->lost++;
}

SEC("tc")
int sniff_from_station(struct __sk_buff *skb)
{
	look(skb, FROM_STATION);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int sniff_to_station(struct __sk_buff *skb)
{
	look(skb, TO_STATION);
	return TC_ACT_UNSPEC;
}
