// SPDX-License-Identifier: Apache-2.0
//
// Sizes: a large TCP write that must arrive whole, and the largest packet that fits.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define UDP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

// One write of everything: the socket has room for it, and may wait for more.
static int write_at_once(int fd, const char *data, size_t length) {
  int room = 4 * (int)length;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  fcntl(fd, F_SETFL, 0);
  ssize_t wrote = write(fd, data, length);
  if (wrote < 0) return errno;
  return (size_t)wrote == length ? 0 : EMSGSIZE;
}

static int exchange_bulk(int fd, const struct target *target, const struct options *options, char answer[ANSWER_MAX], char *data) {
  char head[32];
  int64_t deadline = now_ns() + options->timeout_ms * NS_PER_MS;
  size_t have = 0;
  int error = connect_in_time(fd, target, options->timeout_ms);
  if (!error) error = send_all(fd, head, snprintf(head, sizeof head, "B %d\n", options->bytes), deadline);
  if (!error) error = write_at_once(fd, data, options->bytes);
  while (!error && (have == 0 || answer[have - 1] != '\n')) {
    error = wait_readable(fd, deadline);
    ssize_t got = error ? 0 : recv(fd, answer + have, ANSWER_MAX - 1 - have, 0);
    if (!error && got <= 0) error = got < 0 ? errno : ECONNRESET;
    if (got > 0) have += got;
  }
  answer[have] = 0;
  return error;
}

int run_bulk(const struct options *options) {
  char answer[ANSWER_MAX], server[ANSWER_MAX] = "";
  size_t arrived = 0;
  uint64_t theirs = 0;
  for (int i = 0; i < options->targets; i++) {
    const struct target *target = &options->target[i];
    char *data = malloc(options->bytes);
    for (int n = 0; n < options->bytes; n++) data[n] = (char)(n * 31 + (n >> 8));
    uint64_t ours = sum_bytes(SUM_START, data, options->bytes);
    int fd = open_socket(target);
    int error = exchange_bulk(fd, target, options, answer, data);
    close(fd);
    free(data);
    if (error) printf("{\"target\":\"%s\",\"ok\":false,\"error\":\"%s\"}\n", target->text, error_name(error));
    else {
      sscanf(answer, "%511s %zu %" SCNx64, server, &arrived, &theirs);
      printf("{\"target\":\"%s\",\"ok\":%s,\"server\":\"%s\",\"bytes\":%zu}\n", target->text,
             ours == theirs && arrived == (size_t)options->bytes ? "true" : "false", server, arrived);
    }
  }
  return 0;
}

// Sends a datagram that makes a packet of `bytes`, IP header included; answers what came of it.
static const char *probe(int fd, int bytes, int headers, int timeout_ms) {
  static char data[65536], answer[65536];
  size_t length = bytes - headers;
  int64_t deadline = now_ns() + timeout_ms * NS_PER_MS;
  memset(data, 'm', length);
  if (send(fd, data, length, 0) < 0) return error_name(errno);
  for (;;) {
    if (wait_readable(fd, deadline)) return "silence";
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got == (ssize_t)length) return "answered";
    // The kernel reports an ICMP error about a packet that had left as the socket's own.
    if (got < 0 && errno == EMSGSIZE) return "PTB";
    if (got < 0 && errno != EAGAIN) return error_name(errno);
  }
}

// Forbids fragments, and lets the socket hear of packets that were too big for somebody on the way. An IPv4 socket does not ask the
// route's MTU either (PROBE); an IPv6 one that did not would not hear of such packets.
static void forbid_fragments(int fd, bool v6) {
  int probe_v4 = IP_PMTUDISC_PROBE, do_v6 = IPV6_PMTUDISC_DO, on = 1;
  bool failed = v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &do_v6, sizeof do_v6) ||
                         setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on)
                   : setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe_v4, sizeof probe_v4) ||
                         setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
  if (failed) die("cannot forbid fragments: %s", strerror(errno));
}

int run_mtu(const struct options *options) {
  for (int i = 0; i < options->targets; i++) {
    const struct target *target = &options->target[i];
    bool v6 = target->address.ss_family == AF_INET6;
    int headers = (v6 ? IPV6_HEADER : IPV4_HEADER) + UDP_HEADER;
    int fd = open_socket(target);
    forbid_fragments(fd, v6);
    int error = connect_in_time(fd, target, options->timeout_ms);
    if (error) die("cannot connect to %s: %s", target->text, error_name(error));
    const char *fits = probe(fd, options->bytes, headers, options->timeout_ms);
    const char *exceeds = probe(fd, options->bytes + 1, headers, options->timeout_ms);
    printf("{\"target\":\"%s\",\"fits\":\"%s\",\"exceeds\":\"%s\"}\n", target->text, fits, exceeds);
    close(fd);
  }
  return 0;
}
