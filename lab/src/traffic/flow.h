// SPDX-License-Identifier: Apache-2.0
//
// The packet of a flow. It says who sent it and whom it is meant for, so that both ends know one that is not theirs, and begins
// with bytes that the sniffers (bpf/sniffer/scan.h) recognize wherever they are readable.

#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FLOW_MAGIC "ISTHflow"
#define FLOW_MAGIC_BYTES 8
#define PLACE_MAX 72 // "<cluster>/<place>", each at most 32 characters

struct flow_packet {
  char magic[FLOW_MAGIC_BYTES];
  uint64_t flow;          // random, the flow's own
  uint64_t number;        // from 0 on
  char to[PLACE_MAX];     // the place that it is meant for; empty where any of several will do
  char server[PLACE_MAX]; // in answers: the place that it reached
};

static inline bool is_flow_packet(const void *data, size_t length) {
  return length == sizeof(struct flow_packet) && !memcmp(data, FLOW_MAGIC, FLOW_MAGIC_BYTES);
}
