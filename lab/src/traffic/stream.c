// SPDX-License-Identifier: Apache-2.0
//
// One TCP connection that carries bytes at a steady rate until it is told to end. Then the server says how many it got, their
// checksum, and for how long at most it got none. The schedule is absolute, as a flow's.

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "flow.h"
#include "traffic.h"

#define TICK_NS (10 * NS_PER_MS)
#define LAST_BYTES_NS (20 * NS_PER_S) // how long after the end the last bytes and the server's word may take
#define CHUNK_RECORDS 256

// What the stream is made of: so short that every segment of some length has a whole one, by which a sniffer knows it.
struct record {
  char magic[FLOW_MAGIC_BYTES];
  uint64_t flow, number, reserved;
};

struct stream {
  const struct options *options;
  int fd;
  uint64_t sent, sum, records;
  size_t at; // in the chunk
  struct record chunk[CHUNK_RECORDS];
};

static void next_chunk(struct stream *stream) {
  for (int i = 0; i < CHUNK_RECORDS; i++) {
    struct record *record = &stream->chunk[i];
    *record = (struct record){.flow = stream->options->id, .number = stream->records++};
    memcpy(record->magic, FLOW_MAGIC, FLOW_MAGIC_BYTES);
  }
  stream->at = 0;
}

// Sends until so many bytes are sent or the socket has no room for more; 0 or an errno.
static int send_due(struct stream *stream, uint64_t due) {
  while (stream->sent < due) {
    if (stream->at == sizeof stream->chunk) next_chunk(stream);
    const char *data = (const char *)stream->chunk + stream->at;
    size_t left = sizeof stream->chunk - stream->at;
    ssize_t sent = send(stream->fd, data, left < due - stream->sent ? left : due - stream->sent, 0);
    if (sent < 0) return errno == EAGAIN ? 0 : errno;
    stream->sum = sum_bytes(stream->sum, data, sent);
    stream->sent += sent;
    stream->at += sent;
  }
  return 0;
}

// A server that says something before the end has lost the connection, or its mind.
static int wait_for_tick(int fd, int64_t when_ns) {
  if (wait_readable(fd, when_ns) == ETIMEDOUT) return 0;
  int error = socket_error(fd);
  return error ? error : ECONNRESET;
}

static int carry(struct stream *stream, int64_t *elapsed_ns) {
  int64_t start = now_ns();
  uint64_t bytes_per_s = (uint64_t)stream->options->kbps * 1000 / 8;
  int error = send_all(stream->fd, "S\n", 2, start + stream->options->timeout_ms * NS_PER_MS);
  for (int64_t tick = 1; !error && !told_to_end(); tick++) {
    error = send_due(stream, (now_ns() - start) * bytes_per_s / NS_PER_S);
    if (!error) error = wait_for_tick(stream->fd, start + tick * TICK_NS);
  }
  *elapsed_ns = now_ns() - start;
  return error;
}

static int read_word(int fd, char answer[ANSWER_MAX]) {
  int64_t deadline = now_ns() + LAST_BYTES_NS;
  size_t have = 0;
  while (have == 0 || answer[have - 1] != '\n') {
    int error = wait_readable(fd, deadline);
    if (error) return error;
    ssize_t got = recv(fd, answer + have, ANSWER_MAX - 1 - have, 0);
    if (got < 0 && errno == EAGAIN) continue;
    if (got <= 0) return got < 0 ? errno : ECONNRESET;
    have += got;
  }
  answer[have] = 0;
  return 0;
}

static uint32_t retransmits(int fd) {
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length)) die("TCP_INFO: %s", strerror(errno));
  return info.tcpi_total_retrans;
}

int run_stream(const struct options *options) {
  static struct stream stream;
  const struct target *target = &options->target[0];
  char answer[ANSWER_MAX] = "", server[ANSWER_MAX] = "";
  uint64_t arrived = 0, theirs = 0;
  int64_t elapsed = 1, stall = 0;
  stream = (struct stream){.options = options, .fd = open_socket(target), .sum = SUM_START, .at = sizeof stream.chunk};
  int error = connect_in_time(stream.fd, target, options->timeout_ms);
  if (error) die("cannot connect to %s: %s", target->text, error_name(error));
  printf("{\"streaming\":true}\n");
  error = carry(&stream, &elapsed);
  if (!error && shutdown(stream.fd, SHUT_WR)) error = errno;
  if (!error) error = read_word(stream.fd, answer);
  sscanf(answer, "%511s %" SCNu64 " %" SCNx64 " %" SCNd64, server, &arrived, &theirs, &stall);
  printf("{\"id\":\"%016" PRIx64 "\",\"target\":\"%s\",\"sent\":%" PRIu64 ",\"arrived\":%" PRIu64 ",\"isWhole\":%s,", options->id,
         target->text, stream.sent, arrived, !error && arrived == stream.sent && theirs == stream.sum ? "true" : "false");
  printf("\"server\":\"%s\",\"kbps\":%.0f,\"longestStallMs\":%.1f,\"retransmits\":%u,\"error\":\"%s\"}\n", server,
         stream.sent * 8 * 1e6 / elapsed, stall / 1e6, retransmits(stream.fd), error ? error_name(error) : "");
  return 0;
}
