// SPDX-License-Identifier: Apache-2.0
//
// Super-packets: many datagrams in one write (UDP_SEGMENT), which the kernel cuts apart as late as it can; each is to be answered.
// One super-packet after the other, so that no buffer is what loses them.

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define DATAGRAMS 16 // in one super-packet
#define LARGEST 4000

struct datagram {
  char magic[8];
  uint32_t burst, number;
};

static const char magic[8] = "burst";

static void fill(char *data, int bytes, int burst) {
  struct datagram head = {.burst = burst};
  memcpy(head.magic, magic, sizeof magic);
  memset(data, 'b', (size_t)DATAGRAMS * bytes);
  for (head.number = 0; head.number < DATAGRAMS; head.number++) memcpy(data + (size_t)head.number * bytes, &head, sizeof head);
}

// How many different datagrams of this burst came back whole.
static int count_answers(int fd, int bytes, uint32_t burst, int timeout_ms) {
  static char data[65536];
  struct datagram head;
  bool seen[DATAGRAMS] = {false};
  int64_t deadline = now_ns() + timeout_ms * NS_PER_MS;
  int answered = 0;
  while (answered < DATAGRAMS && !wait_readable(fd, deadline)) {
    ssize_t got = recv(fd, data, sizeof data, 0);
    if (got != bytes) continue;
    memcpy(&head, data, sizeof head);
    if (memcmp(head.magic, magic, sizeof magic) || head.burst != burst || head.number >= DATAGRAMS || seen[head.number]) continue;
    seen[head.number] = true;
    answered++;
  }
  return answered;
}

int run_burst(const struct options *options) {
  static char data[DATAGRAMS * LARGEST];
  int bytes = options->bytes;
  if (bytes < (int)sizeof(struct datagram) || bytes > LARGEST)
    die("datagrams have %zu to %d bytes", sizeof(struct datagram), LARGEST);
  for (int i = 0; i < options->targets; i++) {
    const struct target *target = &options->target[i];
    int fd = open_socket(target), answered = 0;
    int error = connect_in_time(fd, target, options->timeout_ms);
    if (error) die("cannot connect to %s: %s", target->text, error_name(error));
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &bytes, sizeof bytes)) die("UDP_SEGMENT: %s", strerror(errno));
    for (int burst = 0; burst < options->count; burst++) {
      fill(data, bytes, burst);
      if (send(fd, data, (size_t)DATAGRAMS * bytes, 0) < 0) die("cannot send to %s: %s", target->text, strerror(errno));
      answered += count_answers(fd, bytes, burst, options->timeout_ms);
    }
    printf("{\"target\":\"%s\",\"sent\":%d,\"answered\":%d}\n", target->text, options->count * DATAGRAMS, answered);
    close(fd);
  }
  return 0;
}
