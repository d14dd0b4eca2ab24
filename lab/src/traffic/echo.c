// SPDX-License-Identifier: Apache-2.0
//
// The server. A question (`Q`) is answered by the server's name and the address that it saw, a bulk (`B <bytes>` and a line end,
// then the bytes; TCP) by name, bytes and checksum, a stream (`S`, then bytes to the end; TCP) by the same and the longest time in
// nanoseconds for which it did not go on; a flow's packet goes back with the server's name in it, any other datagram as
// it came. `C` (UDP) is answered by what the server has counted: packets of flows that were meant for another place, and packets
// that its sockets had no room for.

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "flow.h"
#include "traffic.h"

#define LINE_MAX_BYTES 64
#define DATAGRAMS_AT_ONCE 64

// One TCP connection, or one of the four sockets that everything arrives at (`serve` tells which).
struct source {
  int fd;
  void (*serve)(struct source *source);
  char peer[ADDRESS_TEXT];
  char line[LINE_MAX_BYTES];
  size_t line_length;
  size_t bulk_left, bulk_length;
  uint64_t bulk_sum;
  bool is_stream;
  uint64_t stream_length;
  int64_t stream_read_ns, stream_stall_ns;
};

static const char *own_name;
static int events;
static int datagram_sockets[2], datagram_socket_count;
static uint64_t strays;
static char last_stray[PLACE_MAX * 2];

static void watch(int fd, void (*serve)(struct source *)) {
  struct source *source = calloc(1, sizeof *source);
  if (!source) die("no memory");
  source->fd = fd;
  source->serve = serve;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  if (epoll_ctl(events, EPOLL_CTL_ADD, fd, &event)) die("epoll: %s", strerror(errno));
}

static void hang_up(struct source *source) {
  close(source->fd);
  free(source);
}

// Answers are far smaller than the socket's room; one that does not fit belongs to a client that reads nothing.
static bool reply(struct source *source, const char *text) {
  return send(source->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static bool end_bulk(struct source *source) {
  char answer[ANSWER_MAX];
  snprintf(answer, sizeof answer, "%s %zu %016" PRIx64 "\n", own_name, source->bulk_length, source->bulk_sum);
  return reply(source, answer);
}

// Everything that comes from now on is the stream's.
static bool begin_stream(struct source *source) {
  source->is_stream = true;
  source->bulk_sum = SUM_START;
  source->stream_read_ns = now_ns();
  return true;
}

static bool serve_stream(struct source *source, const char *data, size_t length) {
  int64_t now = now_ns();
  if (now - source->stream_read_ns > source->stream_stall_ns) source->stream_stall_ns = now - source->stream_read_ns;
  source->stream_read_ns = now;
  source->stream_length += length;
  source->bulk_sum = sum_bytes(source->bulk_sum, data, length);
  return true;
}

static void end_stream(struct source *source) {
  char answer[ANSWER_MAX];
  snprintf(answer, sizeof answer, "%s %" PRIu64 " %016" PRIx64 " %" PRId64 "\n", own_name, source->stream_length, source->bulk_sum,
           source->stream_stall_ns);
  reply(source, answer);
}

static bool serve_line(struct source *source) {
  char answer[ANSWER_MAX];
  source->line[source->line_length] = 0;
  source->line_length = 0;
  if (strcmp(source->line, "S") == 0) return begin_stream(source);
  if (sscanf(source->line, "B %zu", &source->bulk_length) == 1) {
    source->bulk_left = source->bulk_length;
    source->bulk_sum = SUM_START;
    return source->bulk_left > 0;
  }
  snprintf(answer, sizeof answer, "%s %s\n", own_name, source->peer);
  return strcmp(source->line, "Q") == 0 && reply(source, answer);
}

// False when the connection is to be closed.
static bool serve_bytes(struct source *source, const char *data, size_t length) {
  while (length > 0) {
    if (source->is_stream) return serve_stream(source, data, length);
    if (source->bulk_left > 0) {
      size_t part = length < source->bulk_left ? length : source->bulk_left;
      source->bulk_sum = sum_bytes(source->bulk_sum, data, part);
      source->bulk_left -= part;
      data += part;
      length -= part;
      if (source->bulk_left == 0 && !end_bulk(source)) return false;
      continue;
    }
    char byte = *data++;
    length--;
    if (byte == '\n') {
      if (!serve_line(source)) return false;
    } else if (source->line_length < LINE_MAX_BYTES - 1) source->line[source->line_length++] = byte;
    else return false;
  }
  return true;
}

static void serve_connection(struct source *source) {
  static char data[65536];
  ssize_t got = recv(source->fd, data, sizeof data, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got == 0 && source->is_stream) end_stream(source);
  if (got <= 0 || !serve_bytes(source, data, got)) hang_up(source);
}

static void serve_listener(struct source *source) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  int fd = accept4(source->fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return; // gone again
  struct source *connection = calloc(1, sizeof *connection);
  if (!connection) die("no memory");
  connection->fd = fd;
  connection->serve = serve_connection;
  address_text(&peer, connection->peer);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(events, EPOLL_CTL_ADD, fd, &event)) die("epoll: %s", strerror(errno));
}

// What is meant for another place is answered all the same, so that its sender hears of it too.
static void sign_flow_packet(struct flow_packet *packet) {
  packet->to[PLACE_MAX - 1] = 0;
  if (packet->to[0] && strcmp(packet->to, own_name)) {
    strays++;
    snprintf(last_stray, sizeof last_stray, "flow %016" PRIx64 " for %s", packet->flow, packet->to);
  }
  snprintf(packet->server, sizeof packet->server, "%s", own_name);
}

// The answer to a datagram: its bytes in `data`, their number as result.
static size_t answer_datagram(char *data, size_t room, size_t length, const struct sockaddr_storage *peer) {
  char peer_text[ADDRESS_TEXT];
  if (length == 2 && data[0] == 'Q') {
    address_text(peer, peer_text);
    return snprintf(data, room, "%s %s", own_name, peer_text);
  }
  if (length == 2 && data[0] == 'C') {
    uint32_t drops = 0;
    for (int i = 0; i < datagram_socket_count; i++) drops += socket_drops(datagram_sockets[i]);
    return snprintf(data, room, "%s %" PRIu64 " %u %s", own_name, strays, drops, last_stray);
  }
  if (is_flow_packet(data, length)) sign_flow_packet((struct flow_packet *)data);
  return length;
}

// A few at a time: while more and more of them come, connections are to be served too.
static void serve_datagrams(struct source *source) {
  static _Alignas(struct flow_packet) char data[65536];
  struct sockaddr_storage peer;
  for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
    socklen_t length = sizeof peer;
    ssize_t got = recvfrom(source->fd, data, sizeof data, 0, (struct sockaddr *)&peer, &length);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) continue; // an ICMP error about an earlier answer
    size_t answer = answer_datagram(data, sizeof data, got, &peer);
    sendto(source->fd, data, answer, 0, (struct sockaddr *)&peer, length);
  }
}

static void listen_on(const char *form, int port) {
  struct target own;
  char text[ADDRESS_TEXT];
  int on = 1;
  snprintf(text, sizeof text, form, port);
  if (!parse_target(text, false, &own)) die("%s is no address", text);
  int fd = open_socket(&own);
  if (own.address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&own.address, own.length)) die("cannot listen on %s: %s", text, strerror(errno));
  if (own.type == SOCK_STREAM && listen(fd, SOMAXCONN)) die("cannot listen on %s: %s", text, strerror(errno));
  if (own.type == SOCK_DGRAM) datagram_sockets[datagram_socket_count++] = fd;
  watch(fd, own.type == SOCK_STREAM ? serve_listener : serve_datagrams);
}

int run_echo(const struct options *options) {
  struct epoll_event ready[64];
  own_name = options->name;
  events = epoll_create1(EPOLL_CLOEXEC);
  listen_on("TCP/0.0.0.0:%d", options->port);
  listen_on("TCP/[::]:%d", options->port);
  listen_on("UDP/0.0.0.0:%d", options->port);
  listen_on("UDP/[::]:%d", options->port);
  printf("{\"serving\":\"%s\",\"port\":%d}\n", own_name, options->port);
  for (;;) {
    int count = epoll_wait(events, ready, 64, -1);
    if (count < 0 && errno != EINTR) die("epoll: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
      struct source *source = ready[i].data.ptr;
      source->serve(source);
    }
  }
}
