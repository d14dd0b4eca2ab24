// SPDX-License-Identifier: Apache-2.0
//
// Numbered packets at a steady rate over a connected UDP socket, each of which the server sends back. The schedule is absolute: a
// sender that was kept waiting catches up, so the number of packets follows from the time alone.

#define _GNU_SOURCE
#include "flow.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "traffic.h"

#define STRAGGLER_NS (5 * NS_PER_S) // how long after the last packet, or after another answer, one may come
#define LISTED_RANGES 16

struct flow {
  const struct options *options;
  int fd;
  uint64_t sent, answered, duplicates, reordered, misdelivered, highest, errors;
  int last_error;
  int64_t last_answer_ns, longest_gap_ns, longest_gap_at_ns;
  uint32_t queue_drops;      // of sockets that are closed
  char stray[PLACE_MAX * 2]; // what the last misdelivered packet was
  uint8_t *seen;             // by number
  size_t room;
};

static const struct target *target_of(const struct flow *flow) { return &flow->options->target[0]; }

static void take_error(struct flow *flow, int error) {
  flow->errors++;
  flow->last_error = error;
  if (error != ECONNABORTED) return;
  // The agent closed the socket: its backend is gone. As a client does, ask again where to send.
  flow->queue_drops += socket_drops(flow->fd);
  close(flow->fd);
  flow->fd = open_socket(target_of(flow));
  connect_in_time(flow->fd, target_of(flow), 0);
}

static void make_room(struct flow *flow) {
  if (flow->sent < flow->room) return;
  size_t room = flow->room ? flow->room * 2 : 65536;
  flow->seen = realloc(flow->seen, room);
  if (!flow->seen) die("no memory");
  memset(flow->seen + flow->room, 0, room - flow->room);
  flow->room = room;
}

static void send_due(struct flow *flow, int64_t start_ns) {
  const struct options *options = flow->options;
  struct flow_packet packet = {.magic = FLOW_MAGIC, .flow = options->id};
  uint64_t due = (now_ns() - start_ns) * options->pps / NS_PER_S;
  if (options->places == 1) snprintf(packet.to, sizeof packet.to, "%s", options->place[0]);
  while (flow->sent < due) {
    make_room(flow);
    packet.number = flow->sent++;
    if (send(flow->fd, &packet, sizeof packet, 0) < 0) take_error(flow, errno);
  }
}

// Whether a place may answer; any may when none was named.
static bool is_meant(const struct options *options, const char *server) {
  for (int i = 0; i < options->places; i++)
    if (!strcmp(server, options->place[i])) return true;
  return options->places == 0;
}

// Counts what is not this flow's: another's packet, one that another place answered, or one that nobody sent.
static bool is_stray(struct flow *flow, const struct flow_packet *packet) {
  bool ours = packet->flow == flow->options->id;
  if (ours && packet->number < flow->sent && is_meant(flow->options, packet->server)) return false;
  flow->misdelivered++;
  snprintf(flow->stray, sizeof flow->stray, "%s of flow %016" PRIx64 " from %s", ours ? "answer" : "packet", packet->flow,
           packet->server);
  return true;
}

static void note_gap(struct flow *flow, int64_t now) {
  if (flow->answered == 0 || now - flow->last_answer_ns <= flow->longest_gap_ns) return;
  flow->longest_gap_ns = now - flow->last_answer_ns;
  flow->longest_gap_at_ns = now;
}

static void take_answer(struct flow *flow, uint64_t number) {
  int64_t now = now_ns();
  if (flow->answered == 0) printf("{\"flowing\":true}\n");
  note_gap(flow, now);
  flow->last_answer_ns = now;
  if (flow->seen[number]) {
    flow->duplicates++;
    return;
  }
  flow->seen[number] = 1;
  if (flow->answered++ > 0 && number < flow->highest) flow->reordered++;
  else flow->highest = number;
}

static void receive(struct flow *flow) {
  struct flow_packet packet;
  for (;;) {
    ssize_t got = recv(flow->fd, &packet, sizeof packet, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) {
      take_error(flow, errno);
      return;
    }
    packet.server[PLACE_MAX - 1] = 0;
    if (is_flow_packet(&packet, got) && !is_stray(flow, &packet)) take_answer(flow, packet.number);
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
    printf("%s[%" PRIu64 ",%" PRIu64 "]", ranges++ ? "," : "", number, last);
    number = last;
  }
  printf("],");
}

static void report(const struct flow *flow) {
  printf("{\"id\":\"%016" PRIx64 "\",\"target\":\"%s\",\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"lost\":%" PRIu64 ",",
         flow->options->id, target_of(flow)->text, flow->sent, flow->answered, flow->sent - flow->answered);
  print_lost(flow);
  printf("\"duplicates\":%" PRIu64 ",\"reordered\":%" PRIu64 ",\"misdelivered\":%" PRIu64
         ",\"lastStray\":\"%s\",\"queueDrops\":%u,",
         flow->duplicates, flow->reordered, flow->misdelivered, flow->stray, flow->queue_drops + socket_drops(flow->fd));
  printf("\"longestGapMs\":%.1f,\"longestGapAtNs\":%lld,\"errors\":%" PRIu64 ",\"lastError\":\"%s\"}\n", flow->longest_gap_ns / 1e6,
         (long long)flow->longest_gap_at_ns, flow->errors, flow->errors ? error_name(flow->last_error) : "");
}

// A machine that is busy may have much under way still: while it comes, nothing of it is lost.
static void await_stragglers(struct flow *flow) {
  int64_t end = now_ns() + STRAGGLER_NS;
  while (flow->answered < flow->sent && now_ns() < end) {
    uint64_t before = flow->answered;
    wait_until(flow->fd, end);
    receive(flow);
    if (flow->answered > before) end = now_ns() + STRAGGLER_NS;
  }
}

int run_flow(const struct options *options) {
  struct flow flow = {.options = options, .fd = open_socket(&options->target[0])};
  int error = connect_in_time(flow.fd, target_of(&flow), options->timeout_ms);
  if (error) die("cannot connect to %s: %s", target_of(&flow)->text, error_name(error));
  int64_t start = now_ns();
  while (!told_to_end()) {
    send_due(&flow, start);
    receive(&flow);
    wait_until(flow.fd, start + (int64_t)(flow.sent + 1) * NS_PER_S / options->pps);
  }
  await_stragglers(&flow);
  if (flow.answered < flow.sent) note_gap(&flow, now_ns());
  report(&flow);
  return 0;
}
