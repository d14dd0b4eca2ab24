// SPDX-License-Identifier: Apache-2.0
//
// Numbered packets at a steady rate over a connected UDP socket, each of which the server sends back. The schedule is absolute: a
// sender that was kept waiting catches up, so the number of packets follows from the time alone.

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define STRAGGLER_NS (2 * NS_PER_S) // how long after the last packet an answer may come
#define LISTED_RANGES 16

struct packet {
  char magic[8];
  uint64_t number;
};

static const char magic[8] = "flow";

struct flow {
  int fd;
  uint64_t sent, answered, duplicates, reordered, highest, errors;
  int last_error;
  int64_t last_answer_ns, longest_gap_ns, longest_gap_at_ns;
  uint8_t *seen; // by number
  size_t room;
};

static void take_error(struct flow *flow, const struct target *target, int error) {
  flow->errors++;
  flow->last_error = error;
  if (error != ECONNABORTED) return;
  // The agent closed the socket: its backend is gone. As a client does, ask again where to send.
  close(flow->fd);
  flow->fd = open_socket(target);
  connect_in_time(flow->fd, target, 0);
}

static void send_due(struct flow *flow, const struct target *target, int64_t start_ns, int pps) {
  uint64_t due = (now_ns() - start_ns) * pps / NS_PER_S;
  while (flow->sent < due) {
    struct packet packet = {.number = flow->sent};
    memcpy(packet.magic, magic, sizeof magic);
    if (flow->sent >= flow->room) {
      size_t room = flow->room ? flow->room * 2 : 65536;
      flow->seen = realloc(flow->seen, room);
      if (!flow->seen) die("no memory");
      memset(flow->seen + flow->room, 0, room - flow->room);
      flow->room = room;
    }
    flow->sent++;
    if (send(flow->fd, &packet, sizeof packet, 0) < 0) take_error(flow, target, errno);
  }
}

static void take_answer(struct flow *flow, uint64_t number) {
  int64_t now = now_ns();
  if (number >= flow->sent) return; // nobody asked that
  if (flow->answered == 0) printf("{\"flowing\":true}\n");
  else if (now - flow->last_answer_ns > flow->longest_gap_ns) {
    flow->longest_gap_ns = now - flow->last_answer_ns;
    flow->longest_gap_at_ns = now;
  }
  flow->last_answer_ns = now;
  if (flow->seen[number]) {
    flow->duplicates++;
    return;
  }
  flow->seen[number] = 1;
  if (flow->answered++ > 0 && number < flow->highest) flow->reordered++;
  else flow->highest = number;
}

static void receive(struct flow *flow, const struct target *target) {
  struct packet packet;
  for (;;) {
    ssize_t got = recv(flow->fd, &packet, sizeof packet, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) {
      take_error(flow, target, errno);
      return;
    }
    if (got == sizeof packet && !memcmp(packet.magic, magic, sizeof magic)) take_answer(flow, packet.number);
  }
}

static void wait_until(int fd, int64_t when_ns) {
  int64_t left = when_ns - now_ns();
  struct timespec timeout = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
  struct pollfd poll = {.fd = fd, .events = POLLIN};
  if (left > 0) ppoll(&poll, 1, &timeout, NULL);
}

static void print_lost(const struct flow *flow) {
  int ranges = 0;
  printf("\"lostRanges\":[");
  for (uint64_t number = 0; number < flow->sent && ranges < LISTED_RANGES; number++) {
    if (flow->seen[number]) continue;
    uint64_t last = number;
    while (last + 1 < flow->sent && !flow->seen[last + 1]) last++;
    printf("%s[%llu,%llu]", ranges++ ? "," : "", (unsigned long long)number, (unsigned long long)last);
    number = last;
  }
  printf("]");
}

static void report(const struct flow *flow, const struct target *target) {
  printf("{\"target\":\"%s\",\"sent\":%llu,\"answered\":%llu,\"lost\":%llu,", target->text, (unsigned long long)flow->sent,
         (unsigned long long)flow->answered, (unsigned long long)(flow->sent - flow->answered));
  print_lost(flow);
  printf(",\"duplicates\":%llu,\"reordered\":%llu,\"longestGapMs\":%.1f,\"longestGapAtNs\":%lld,\"errors\":%llu,\"lastError\":\"%"
         "s\"}\n",
         (unsigned long long)flow->duplicates, (unsigned long long)flow->reordered, flow->longest_gap_ns / 1e6,
         (long long)flow->longest_gap_at_ns, (unsigned long long)flow->errors, flow->errors ? error_name(flow->last_error) : "");
}

int run_flow(const struct options *options) {
  const struct target *target = &options->target[0];
  struct flow flow = {.fd = open_socket(target)};
  int error = connect_in_time(flow.fd, target, options->timeout_ms);
  if (error) die("cannot connect to %s: %s", target->text, error_name(error));
  int64_t start = now_ns();
  while (!told_to_end()) {
    send_due(&flow, target, start, options->pps);
    receive(&flow, target);
    wait_until(flow.fd, start + (int64_t)(flow.sent + 1) * NS_PER_S / options->pps);
  }
  int64_t end = now_ns() + STRAGGLER_NS;
  while (flow.answered < flow.sent && now_ns() < end) {
    wait_until(flow.fd, end);
    receive(&flow, target);
  }
  report(&flow, target);
  return 0;
}
