// SPDX-License-Identifier: Apache-2.0
//
// What the load generator sends: prefixes, messages, and whole workloads of them.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SPEAKER_AS 65000
#define INJECTOR_AS 65001
#define RECEIVER_AS 65002
#define HEADER 19
#define MAX_MESSAGE 4096
#define OPEN 1
#define UPDATE 2
#define NOTIFICATION 3
#define KEEPALIVE 4
#define FLAP_PREFIX 0xc6120001u // 198.18.0.1, in no workload

// A prefix of the workload, and whether the receiver holds it.
struct slot {
  uint32_t address;
  uint8_t length;
  bool used, held;
};

struct stream {
  uint8_t *bytes;
  size_t length;
  unsigned updates;
};

// All of a workload, and the taking back of it; how many prefixes that is.
extern struct stream announcement, withdrawal;
extern unsigned total;

void die(const char *what);

// Makes a workload by its name; next hops are `next_hop` or in its /16.
void make_workload(const char *name, uint32_t next_hop);

// Where a prefix of the workload is, or would be.
struct slot *slot_of(uint32_t address, uint8_t length);

static inline uint8_t *put16(uint8_t *at, unsigned value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
  return at + 2;
}

static inline uint8_t *put32(uint8_t *at, uint32_t value) { return put16(put16(at, value >> 16), value & 0xffff); }

static inline unsigned get16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

static inline uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }

// What follows is written at the place that is the first argument; all but end() return what comes behind it.
uint8_t *put_prefix(uint8_t *at, uint32_t address, uint8_t length);
uint8_t *begin(uint8_t *at, uint8_t type);
// Sets the length of a message. Returns it.
size_t end(uint8_t *start, uint8_t *at);
// Begins an UPDATE; the attributes follow, then set_attributes(), then prefixes.
uint8_t *begin_update(uint8_t *start);
void set_attributes(uint8_t *start, uint8_t *at);
// ORIGIN, an AS_PATH of so many hops, NEXT_HOP.
uint8_t *put_head(uint8_t *at, unsigned hops, uint32_t next_hop);
