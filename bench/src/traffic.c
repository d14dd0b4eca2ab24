// SPDX-License-Identifier: Apache-2.0
//
// The traffic of the benchmarks: a receiver and a sender that run in two places and measure the way between them.
//
//   traffic sink PORT CPU                 takes one TCP stream to its end; prints its rate in Gb/s
//   traffic stream ADDRESS PORT MS CPU    sends it
//   traffic echo PORT CPU                 sends datagrams back to who sent them
//   traffic ping-pong ADDRESS PORT MS CPU sends them one at a time; prints the median round trip in microseconds
//   traffic count PORT CPU                counts datagrams; prints their rate in thousands a second
//   traffic flood ADDRESS PORT MS CPU     sends them as fast as it can
//   traffic device NAME                   prints the MTU and the active offloads of a device
//
// Rates are upper quartiles over slices of 5 ms: other work and a virtual machine that stands still take from many slices and never
// add to one, so a mean would measure how often that was. Receivers end by themselves. Nothing is tuned: socket options are the
// kernel's defaults, except for room enough to count in.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM 16         // bytes of payload
#define HELLO 1             // bytes of a datagram that only asks whether the receiver is there
#define BATCH 32            // datagrams a system call
#define SLICE_NS 5000000ULL // of a rate
#define SLICES 4000         // room for 20 s
#define ENOUGH_SLICES 20
#define SAMPLES 4000000
#define FEATURE_BLOCKS 8
#define LIFE_S 20                // whatever happens, no process is left behind
#define PATIENCE_MS 5000         // until the other side is there
#define SILENCE_US 300000        // after which a receiver takes the traffic for ended
#define RECEIVE_BUFFER (1 << 24) // bytes

static uint64_t slices[SLICES];
static double samples[SAMPLES];

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000ULL + (uint64_t)at.tv_nsec;
}

static void die(const char *what) {
  fprintf(stderr, "traffic: %s: %s\n", what, errno ? strerror(errno) : "failed");
  exit(1);
}

static void pin(const char *cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(atoi(cpu), &set);
  if (sched_setaffinity(0, sizeof set, &set)) die("pin to a processor");
}

static struct sockaddr_in address_of(const char *ip, const char *port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (ip && inet_pton(AF_INET, ip, &to.sin_addr) != 1) die("read the address");
  return to;
}

static int open_socket(int type) {
  int fd = socket(AF_INET, type, 0);
  if (fd < 0) die("open a socket");
  return fd;
}

static void receive_timeout(int fd, long us) {
  struct timeval limit = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)) die("set a time limit");
}

static int bound(int type, const char *port) {
  struct sockaddr_in any = address_of(NULL, port);
  int fd = open_socket(type);
  if (bind(fd, (struct sockaddr *)&any, sizeof any)) die("bind");
  return fd;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double percentile(double *values, size_t count, size_t percent) {
  qsort(values, count, sizeof *values, compare);
  return values[count * percent / 100];
}

static void slice_add(uint64_t start, uint64_t amount) {
  uint64_t slice = (now_ns() - start) / SLICE_NS;
  if (slice < SLICES) slices[slice] += amount;
}

// The upper quartile of all slices from the first that saw traffic to the last, without these two, a second. 0 when
// too few saw any.
static double slices_rate(void) {
  size_t first = 0, last = SLICES - 1, count = 0;
  while (first < last && !slices[first]) first++;
  while (last > first && !slices[last]) last--;
  if (last - first < ENOUGH_SLICES) return 0;
  for (size_t i = first + 1; i < last; i++) samples[count++] = (double)slices[i];
  return percentile(samples, count, 75) * (1e9 / SLICE_NS);
}

static void sink(const char *port) {
  static char data[1 << 15]; // small against a slice
  int listener = bound(SOCK_STREAM, port);
  if (listen(listener, 1)) die("listen");
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) die("accept");
  uint64_t start = now_ns();
  ssize_t got;
  while ((got = read(fd, data, sizeof data)) > 0) slice_add(start, (uint64_t)got);
  if (got < 0) die("read the stream");
  printf("%.4f\n", slices_rate() * 8 / 1e9);
}

// The receiver may not be there yet: asks again until it is.
static int connected_stream(struct sockaddr_in to) {
  uint64_t deadline = now_ns() + PATIENCE_MS * 1000000ULL;
  for (;;) {
    int fd = open_socket(SOCK_STREAM);
    if (!connect(fd, (struct sockaddr *)&to, sizeof to)) return fd;
    if (errno != ECONNREFUSED || now_ns() > deadline) die("connect");
    close(fd);
    usleep(2000);
  }
}

static void stream(struct sockaddr_in to, uint64_t ms) {
  static char data[1 << 17];
  int fd = connected_stream(to);
  uint64_t end = now_ns() + ms * 1000000ULL;
  while (now_ns() < end)
    if (write(fd, data, sizeof data) < 0) die("write to the stream");
}

static int connected_datagrams(struct sockaddr_in to) {
  char hello[HELLO] = {0}, answer[DATAGRAM];
  int fd = open_socket(SOCK_DGRAM);
  if (connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
  receive_timeout(fd, 2000);
  for (uint64_t deadline = now_ns() + PATIENCE_MS * 1000000ULL; now_ns() < deadline;) {
    ssize_t sent = send(fd, hello, sizeof hello, 0);
    if (sent == HELLO && recv(fd, answer, sizeof answer, 0) == HELLO) return fd;
    if (errno != ECONNREFUSED && errno != EAGAIN) die("reach the receiver");
    usleep(2000);
  }
  die("reach the receiver");
  return -1;
}

static void echo(const char *port) {
  char data[DATAGRAM];
  struct sockaddr_in from;
  int fd = bound(SOCK_DGRAM, port);
  for (bool first = true;; first = false) {
    socklen_t length = sizeof from;
    ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)&from, &length);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) die("receive");
    if (sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&from, length) != got) die("answer");
    if (first) receive_timeout(fd, SILENCE_US);
  }
}

// One round trip after the other. A lost datagram is an error: nothing on the way has a reason to lose one.
static void ping_pong(struct sockaddr_in to, uint64_t ms) {
  char data[DATAGRAM] = {0};
  size_t count = 0;
  int fd = connected_datagrams(to);
  // An answer to a repeated hello may still come.
  while (recv(fd, data, sizeof data, 0) > 0) continue;
  receive_timeout(fd, 1000000);
  uint64_t start = now_ns(), at = start, end = start + ms * 1000000ULL;
  while (at < end && count < SAMPLES) {
    if (send(fd, data, sizeof data, 0) != DATAGRAM || recv(fd, data, sizeof data, 0) != DATAGRAM) die("make a round trip");
    uint64_t back = now_ns();
    samples[count++] = (double)(back - at) / 1e3;
    at = back;
  }
  printf("%.3f\n", percentile(samples, count, 50));
}

static void answer_hello(int fd, const char *data, struct sockaddr_in *from) {
  if (sendto(fd, data, HELLO, 0, (struct sockaddr *)from, sizeof *from) != HELLO) die("answer");
}

static void count_datagrams(const char *port) {
  static char data[BATCH][DATAGRAM];
  struct mmsghdr messages[BATCH] = {0};
  struct iovec parts[BATCH];
  struct sockaddr_in from[BATCH];
  int room = RECEIVE_BUFFER, fd = bound(SOCK_DGRAM, port);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) die("make room to receive");
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){data[i], DATAGRAM};
    messages[i].msg_hdr =
        (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &from[i], .msg_namelen = sizeof from[i]};
  }
  for (uint64_t start = 0;;) {
    int got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) die("receive");
    if (!start) receive_timeout(fd, SILENCE_US);
    if (!start) start = now_ns();
    for (int i = 0; i < got; i++) {
      if (messages[i].msg_len == HELLO) answer_hello(fd, data[i], &from[i]);
      else slice_add(start, 1);
      messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
  }
  printf("%.3f\n", slices_rate() / 1e3);
}

static void flood(struct sockaddr_in to, uint64_t ms) {
  static char data[DATAGRAM];
  struct iovec part = {data, DATAGRAM};
  struct mmsghdr messages[BATCH] = {0};
  int fd = connected_datagrams(to);
  for (int i = 0; i < BATCH; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
  uint64_t end = now_ns() + ms * 1000000ULL;
  while (now_ns() < end)
    if (sendmmsg(fd, messages, BATCH, 0) < 0) die("send");
}

static void device(const char *name) {
  struct {
    struct ethtool_gfeatures head;
    struct ethtool_get_features_block blocks[FEATURE_BLOCKS];
  } features = {.head = {.cmd = ETHTOOL_GFEATURES, .size = FEATURE_BLOCKS}};
  struct ifreq request = {0};
  int fd = open_socket(SOCK_DGRAM);
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(fd, SIOCGIFMTU, &request)) die(name);
  printf("mtu %d offloads", request.ifr_mtu);
  request.ifr_data = (char *)&features;
  if (ioctl(fd, SIOCETHTOOL, &request)) die(name);
  for (uint32_t i = 0; i < features.head.size; i++) printf(" %08x", features.blocks[i].active);
  printf("\n");
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  bool receives = argc == 4, sends = argc == 6;
  alarm(LIFE_S);
  if (receives || sends) pin(argv[argc - 1]);
  if (argc == 3 && !strcmp(what, "device")) device(argv[2]);
  else if (receives && !strcmp(what, "sink")) sink(argv[2]);
  else if (receives && !strcmp(what, "echo")) echo(argv[2]);
  else if (receives && !strcmp(what, "count")) count_datagrams(argv[2]);
  else if (sends && !strcmp(what, "stream")) stream(address_of(argv[2], argv[3]), strtoul(argv[4], NULL, 10));
  else if (sends && !strcmp(what, "ping-pong")) ping_pong(address_of(argv[2], argv[3]), strtoul(argv[4], NULL, 10));
  else if (sends && !strcmp(what, "flood")) flood(address_of(argv[2], argv[3]), strtoul(argv[4], NULL, 10));
  else {
    fprintf(stderr, "traffic: see the head of its source for what it takes\n");
    return 2;
  }
  return 0;
}
