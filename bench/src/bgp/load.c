// SPDX-License-Identifier: Apache-2.0
//
// The two neighbours of a BGP speaker under test in one process: AS 65001 tells it routes, AS 65002 is told them and checks every
// one.
//
//   load WORKLOAD SPEAKER INJECTOR RECEIVER    addresses of IPv4; connects to port 179 of the speaker, AS 65000
//
// Workloads: full1m (1,000,000 prefixes, 100,000 attribute sets, an UPDATE for each), full100k (a tenth of it), pod100k (50,000
// addresses and 50,000 networks of pods, 500 nodes). They are made before anything is sent, and are the same in every run.
//
// It says {"phase":"up"} once both sessions are, then does what its standard input asks, line by line, and answers each with one
// line:
//
//   announce    sends everything; ends when the receiver holds every prefix
//   flap N      announces and withdraws one more prefix N times, waiting each time until the receiver knows
//   withdraw    takes everything back; ends when the receiver holds nothing
//
// It ends with its input, and breaks off with a message when nothing moves for a minute. The hold time is an hour: no keepalives
// are sent meanwhile.

#include "workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 179
#define HOLD_TIME 3600
#define SILENCE_MS 60000
#define CONNECT_TRIES 600 // of 50 ms

// What one side reads from: whole messages are cut off its front.
struct session {
  int fd;
  size_t length;
  uint8_t bytes[1 << 20];
};

static struct session injector, receiver;
static unsigned held;
static bool flap_held;
// Of the phase: UPDATEs with prefixes and their bytes, prefixes that were there already, and prefixes that nobody sent.
static unsigned long updates, bytes, duplicates, unknown;

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000ULL + (uint64_t)at.tv_nsec;
}

void die(const char *what) {
  fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

// --- the receiver

static void take_prefix(uint32_t address, uint8_t length, bool reachable) {
  if (address == FLAP_PREFIX && length == 32) {
    flap_held = reachable;
    return;
  }
  struct slot *slot = slot_of(address, length);
  if (!slot->used) unknown++;
  else if (slot->held == reachable) duplicates++;
  else {
    slot->held = reachable;
    held += reachable ? 1 : -1u;
  }
}

static void take_prefixes(const uint8_t *at, const uint8_t *limit, bool reachable) {
  while (at < limit) {
    uint8_t length = *at++;
    uint32_t address = 0;
    if (length > 32 || at + (length + 7) / 8 > limit) die("a malformed prefix came");
    for (int shift = 24, bits = length; bits > 0; bits -= 8, shift -= 8) address |= (uint32_t)*at++ << shift;
    take_prefix(address, length, reachable);
  }
}

// The speaker is in front of the path, and nothing that stays inside of an AS is there.
static void check_attributes(const uint8_t *at, const uint8_t *limit) {
  bool path = false;
  while (at < limit) {
    bool extended = at[0] & 0x10;
    uint8_t type = at[1];
    unsigned length = extended ? get16(at + 2) : at[2];
    at += extended ? 4 : 3;
    if (type == 2) path = length >= 10 && get32(at + 2) == SPEAKER_AS && get32(at + 6) == INJECTOR_AS;
    if (type == 5) die("the speaker sent LOCAL_PREF to an external peer");
    at += length;
  }
  if (!path) die("the speaker sent a path that does not begin with it and who told it");
}

static void take_update(const uint8_t *message, size_t length) {
  const uint8_t *gone = message + HEADER + 2, *attributes = gone + get16(message + HEADER) + 2, *limit = message + length;
  const uint8_t *nlri = attributes + get16(attributes - 2);
  if (nlri > limit) die("a malformed UPDATE came");
  if (gone == attributes - 2 && nlri == limit) return; // End-of-RIB
  updates++;
  bytes += length;
  if (nlri < limit) check_attributes(attributes, nlri);
  take_prefixes(gone, attributes - 2, false);
  take_prefixes(nlri, limit, true);
}

// Reads what is there and takes whole messages. What is no UPDATE is nothing.
static void receive(struct session *session) {
  ssize_t got = read(session->fd, session->bytes + session->length, sizeof session->bytes - session->length);
  if (got == 0) die("the speaker closed a session");
  if (got < 0) die("read");
  session->length += (size_t)got;
  size_t at = 0;
  while (session->length - at >= HEADER) {
    const uint8_t *message = session->bytes + at;
    size_t length = get16(message + 16);
    if (length < HEADER || session->length - at < length) break;
    if (message[18] == NOTIFICATION) die("the speaker sent a NOTIFICATION");
    if (message[18] == UPDATE && session == &receiver) take_update(message, length);
    at += length;
  }
  memmove(session->bytes, session->bytes + at, session->length -= at);
}

// --- phases

// Sends a stream while it takes what comes, until the receiver holds so many prefixes and the flapping one or not.
static void exchange(const uint8_t *stream, size_t length, unsigned until, bool flap) {
  size_t sent = 0;
  while (sent < length || held != until || flap_held != flap) {
    struct pollfd fds[] = {{receiver.fd, POLLIN, 0}, {injector.fd, (short)(sent < length ? POLLIN | POLLOUT : POLLIN), 0}};
    int ready = poll(fds, 2, SILENCE_MS);
    errno = ready < 0 ? errno : 0;
    if (ready <= 0) {
      fprintf(stderr, "load: %zu of %zu bytes sent, %u of %u prefixes held\n", sent, length, held, until);
      die("nothing moves");
    }
    if (fds[0].revents) receive(&receiver);
    if (fds[1].revents & ~POLLOUT) receive(&injector);
    if (!(fds[1].revents & POLLOUT)) continue;
    ssize_t took = write(injector.fd, stream + sent, length - sent);
    if (took < 0 && errno != EAGAIN) die("write");
    if (took > 0) sent += (size_t)took;
  }
}

static void run_stream(const char *phase, const struct stream *stream, unsigned until) {
  updates = bytes = duplicates = unknown = 0;
  uint64_t from = now_ns();
  exchange(stream->bytes, stream->length, until, false);
  printf("{\"phase\":\"%s\",\"seconds\":%.6f,\"sentUpdates\":%u,\"sentBytes\":%zu,\"updates\":%lu,\"bytes\":%lu,"
         "\"duplicates\":%lu,\"unknown\":%lu}\n",
         phase, (double)(now_ns() - from) / 1e9, stream->updates, stream->length, updates, bytes, duplicates, unknown);
}

static void run_flaps(unsigned count, uint32_t next_hop) {
  uint8_t up[MAX_MESSAGE], down[MAX_MESSAGE];
  uint8_t *at = put_head(begin_update(up), 3, next_hop);
  set_attributes(up, at);
  size_t up_length = end(up, put_prefix(at, FLAP_PREFIX, 32));
  at = put_prefix(put16(begin(down, UPDATE), 0), FLAP_PREFIX, 32);
  put16(down + HEADER, (unsigned)(at - down - HEADER - 2));
  size_t down_length = end(down, put16(at, 0));
  printf("{\"phase\":\"flap\",\"milliseconds\":[");
  for (unsigned i = 0; i < 2 * count; i++) {
    uint64_t from = now_ns();
    exchange(i % 2 ? down : up, i % 2 ? down_length : up_length, held, i % 2 == 0);
    printf("%s%.4f", i ? "," : "", (double)(now_ns() - from) / 1e6);
  }
  printf("]}\n");
}

// --- sessions

// OPEN with IPv4 unicast and four-octet AS numbers.
static size_t open_message(uint8_t *start, uint16_t as, uint32_t id) {
  uint8_t *at = begin(start, OPEN);
  *at++ = 4;
  at = put32(put16(put16(at, as), HOLD_TIME), id);
  const uint8_t head[] = {14, 2, 12, 1, 4, 0, 1, 0, 1, 65, 4};
  memcpy(at, head, sizeof head);
  return end(start, put32(at + sizeof head, as));
}

static int connect_from(uint32_t local, uint32_t remote) {
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(local)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(remote)};
  for (int i = 0; i < CONNECT_TRIES; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    usleep(50000);
  }
  die("connect");
  return -1;
}

static void write_all(int fd, const uint8_t *message, size_t length) {
  if (write(fd, message, length) != (ssize_t)length) die("write");
}

static void read_all(int fd, uint8_t *to, size_t length) {
  for (size_t got = 0; got < length;) {
    ssize_t more = read(fd, to + got, length - got);
    if (more <= 0) die("a session did not come up");
    got += (size_t)more;
  }
}

static void establish(struct session *session, uint16_t as, uint32_t local, uint32_t remote) {
  uint8_t message[MAX_MESSAGE];
  session->fd = connect_from(local, remote);
  int on = 1;
  setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  write_all(session->fd, message, open_message(message, as, local));
  write_all(session->fd, message, end(message, begin(message, KEEPALIVE)));
  for (bool up = false; !up;) {
    read_all(session->fd, message, HEADER);
    read_all(session->fd, message + HEADER, get16(message + 16) - HEADER);
    if (message[18] == NOTIFICATION) die("the speaker refused a session");
    up = message[18] == KEEPALIVE;
  }
  if (fcntl(session->fd, F_SETFL, O_NONBLOCK) < 0) die("fcntl");
}

static uint32_t address_of(const char *text) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1) die("not an address");
  return ntohl(address.s_addr);
}

int main(int argc, char **argv) {
  if (argc != 5) die("load WORKLOAD SPEAKER INJECTOR RECEIVER");
  uint32_t speaker = address_of(argv[2]), from = address_of(argv[3]);
  make_workload(argv[1], from);
  establish(&receiver, RECEIVER_AS, address_of(argv[4]), speaker);
  establish(&injector, INJECTOR_AS, from, speaker);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("{\"phase\":\"up\"}\n");
  char line[64];
  while (fgets(line, sizeof line, stdin) != NULL) {
    errno = 0;
    if (strcmp(line, "announce\n") == 0) run_stream("announce", &announcement, total);
    else if (strcmp(line, "withdraw\n") == 0) run_stream("withdraw", &withdrawal, 0);
    else if (strncmp(line, "flap ", 5) == 0) run_flaps((unsigned)atoi(line + 5), from);
    else die("no such phase");
  }
  return 0;
}
