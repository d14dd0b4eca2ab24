// SPDX-License-Identifier: Apache-2.0
//
// The workloads of the load generator: the same in every run.

#include "workload.h"

#include <stdlib.h>

#define STREAM_BYTES (32 << 20)
#define SLOTS (1u << 22)

struct stream announcement, withdrawal;
unsigned total;
static struct slot slots[SLOTS];
static uint64_t seed = 0x2545f4914f6cdd1dULL;

// xorshift64*
static uint32_t below(uint32_t bound) {
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return (uint32_t)(((seed * 0x2545f4914f6cdd1dULL) >> 32) * bound >> 32);
}

// --- prefixes

struct slot *slot_of(uint32_t address, uint8_t length) {
  uint64_t hash = ((uint64_t)address << 8 | length) * 0x9e3779b97f4a7c15ULL;
  uint32_t at = (uint32_t)(hash >> 42);
  while (slots[at].used && (slots[at].address != address || slots[at].length != length)) at = (at + 1) % SLOTS;
  return &slots[at];
}

// False when it is there already.
static bool add_prefix(uint32_t address, uint8_t length) {
  struct slot *slot = slot_of(address, length);
  if (slot->used) return false;
  *slot = (struct slot){.address = address, .length = length, .used = true};
  total++;
  return true;
}

uint8_t *put_prefix(uint8_t *at, uint32_t address, uint8_t length) {
  *at++ = length;
  for (int shift = 24, bits = length; bits > 0; bits -= 8, shift -= 8) *at++ = (uint8_t)(address >> shift);
  return at;
}

// 60 % /24, the others /13 to /23, the longer the more; unicast, and not in the networks of this host or the test itself.
static uint8_t *put_internet_prefix(uint8_t *at) {
  for (;;) {
    uint8_t length = 24;
    if (below(10) >= 6) {
      uint32_t a = below(11), b = below(11), c = below(11);
      length = (uint8_t)(13 + (a > b ? a > c ? a : c : b > c ? b : c));
    }
    uint32_t first = 1 + below(223);
    if (first == 10 || first == 127) continue;
    uint32_t address = (first << 24 | below(1 << 24)) & (0xffffffffu << (32 - length));
    if (add_prefix(address, length)) return put_prefix(at, address, length);
  }
}

// --- messages

uint8_t *begin(uint8_t *at, uint8_t type) {
  memset(at, 0xff, 16);
  at[18] = type;
  return at + HEADER;
}

size_t end(uint8_t *start, uint8_t *at) {
  put16(start + 16, (unsigned)(at - start));
  return (size_t)(at - start);
}

static uint8_t *put_attribute(uint8_t *at, uint8_t flags, uint8_t type, unsigned length) {
  *at++ = flags;
  *at++ = type;
  *at++ = (uint8_t)length;
  return at;
}

static uint8_t *put_path(uint8_t *at, unsigned hops) {
  at = put_attribute(at, 0x40, 2, 2 + 4 * hops);
  *at++ = 2;
  *at++ = (uint8_t)hops;
  at = put32(at, INJECTOR_AS);
  // Some numbers take four octets.
  for (unsigned i = 1; i < hops; i++) at = put32(at, below(10) == 0 ? 131072 + below(268000) : 1000 + below(60000));
  return at;
}

uint8_t *put_head(uint8_t *at, unsigned hops, uint32_t next_hop) {
  at = put_attribute(at, 0x40, 1, 1);
  *at++ = 0;
  at = put_path(at, hops);
  return put32(put_attribute(at, 0x40, 3, 4), next_hop);
}

// Those of the Internet: random numbers are enough of a difference between any two.
static uint8_t *put_internet_attributes(uint8_t *at, uint32_t next_hop) {
  at = put_head(at, 3 + below(7), next_hop);
  if (below(5) == 0) at = put32(put_attribute(at, 0x80, 4, 4), below(1000));
  unsigned communities = below(9);
  if (communities > 0) at = put_attribute(at, 0xc0, 8, 4 * communities);
  for (unsigned i = 0; i < communities; i++) at = put32(at, (1000 + below(60000)) << 16 | below(65536));
  if (below(10) != 0) return at;
  at = put_attribute(at, 0xc0, 32, 12);
  for (int i = 0; i < 3; i++) at = put32(at, below(400000));
  return at;
}

// The routes of a node: a path of one hop, a community, and the node as next hop.
static uint8_t *put_pod_attributes(uint8_t *at, uint32_t next_hop) {
  at = put_head(at, 1, next_hop);
  return put32(put_attribute(at, 0xc0, 8, 4), INJECTOR_AS << 16 | 100);
}

static uint8_t *room(struct stream *stream) {
  if (stream->bytes == NULL) stream->bytes = malloc(STREAM_BYTES);
  if (stream->bytes == NULL || stream->length + MAX_MESSAGE > STREAM_BYTES) die("a stream has no room");
  return stream->bytes + stream->length;
}

static void finish(struct stream *stream, uint8_t *start, uint8_t *at) {
  stream->length += end(start, at);
  stream->updates++;
}

uint8_t *begin_update(uint8_t *start) { return put16(put16(begin(start, UPDATE), 0), 0); }

void set_attributes(uint8_t *start, uint8_t *at) { put16(start + HEADER + 2, (unsigned)(at - start - HEADER - 4)); }

static void make_internet(unsigned sets, unsigned prefixes, uint32_t next_hop) {
  for (unsigned set = 0; set < sets; set++) {
    uint8_t *start = room(&announcement);
    uint8_t *at = put_internet_attributes(begin_update(start), next_hop);
    set_attributes(start, at);
    for (unsigned i = 0; i < prefixes / sets; i++) at = put_internet_prefix(at);
    finish(&announcement, start, at);
  }
}

// Each node has a hundred addresses of services or pods, and as many networks.
static void make_pods(unsigned nodes, unsigned each, uint32_t next_hop) {
  for (unsigned node = 0; node < nodes; node++) {
    uint8_t *start = room(&announcement);
    uint8_t *at = put_pod_attributes(begin_update(start), (next_hop & 0xffff0000u) + 0x100 + node);
    set_attributes(start, at);
    for (unsigned i = 0; i < each; i++) {
      uint32_t number = node * each + i;
      uint32_t address = 0x64400000u + number, network = (number < 99 * 256 ? 0x0a000000u : 0x0a010000u) + (number << 8);
      if (!add_prefix(address, 32) || !add_prefix(network, 24)) die("a prefix is there twice");
      at = put_prefix(put_prefix(at, address, 32), network, 24);
    }
    finish(&announcement, start, at);
  }
}

// In full messages, in the order of the hash: a router that loses a session does not know who came when either.
static void make_withdrawal(void) {
  uint8_t *start = NULL, *at = NULL;
  for (unsigned i = 0; i <= SLOTS; i++) {
    if (start != NULL && (i == SLOTS || at - start > MAX_MESSAGE - 7)) {
      put16(start + HEADER, (unsigned)(at - start - HEADER - 2));
      finish(&withdrawal, start, put16(at, 0));
      start = NULL;
    }
    if (i == SLOTS || !slots[i].used) continue;
    if (start == NULL) at = put16(begin(start = room(&withdrawal), UPDATE), 0);
    at = put_prefix(at, slots[i].address, slots[i].length);
  }
}

void make_workload(const char *name, uint32_t next_hop) {
  if (strcmp(name, "full1m") == 0) make_internet(100000, 1000000, next_hop);
  else if (strcmp(name, "full100k") == 0) make_internet(10000, 100000, next_hop);
  else if (strcmp(name, "pod100k") == 0) make_pods(500, 100, next_hop);
  else die("there is no such workload");
  make_withdrawal();
}
