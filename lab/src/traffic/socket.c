// SPDX-License-Identifier: Apache-2.0
// Targets, addresses and sockets.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

// Seconds of ten thousand packets each: a receiver that does not get the processor for a while must not be what loses them.
#define RECEIVE_ROOM (64 << 20)

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("isthmus-traffic: ", stderr);
  vfprintf(stderr, format, arguments);
  fputs("\n", stderr);
  va_end(arguments);
  exit(2);
}

static bool set_address(struct target *target, const char *host, int port, bool mapped) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)&target->address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target->address;
  char text[INET6_ADDRSTRLEN + 8];
  bool is_v6 = strchr(host, ':') != NULL;
  if (!is_v6 && !mapped) {
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    target->length = sizeof *v4;
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1;
  }
  *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
  target->length = sizeof *v6;
  snprintf(text, sizeof text, "%s%s", is_v6 ? "" : "::ffff:", host);
  return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1;
}

bool parse_target(const char *text, bool mapped, struct target *target) {
  char host[INET6_ADDRSTRLEN], end;
  int port;
  target->text = text;
  if (!strncmp(text, "TCP/", 4)) target->type = SOCK_STREAM;
  else if (!strncmp(text, "UDP/", 4)) target->type = SOCK_DGRAM;
  else return false;
  const char *form = text[4] == '[' ? "[%45[0-9a-fA-F:.]]:%d%c" : "%45[0-9.]:%d%c";
  if (sscanf(text + 4, form, host, &port, &end) != 2 || port < 1 || port > 65535) return false;
  return set_address(target, host, port, mapped);
}

void address_text(const struct sockaddr_storage *address, char text[ADDRESS_TEXT]) {
  const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
  char host[INET6_ADDRSTRLEN];
  if (address->ss_family == AF_INET) {
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
    snprintf(text, ADDRESS_TEXT, "%s:%d", host, ntohs(v4->sin_port));
    return;
  }
  bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
  if (mapped) inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof host);
  else inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
  snprintf(text, ADDRESS_TEXT, mapped ? "%s:%d" : "[%s]:%d", host, ntohs(v6->sin6_port));
}

int open_socket(const struct target *target) {
  int room = RECEIVE_ROOM;
  int fd = socket(target->address.ss_family, target->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket: %s", strerror(errno));
  if (target->type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room))
    die("SO_RCVBUFFORCE: %s", strerror(errno));
  return fd;
}

uint32_t socket_drops(int fd) {
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t length = sizeof memory;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length)) die("SO_MEMINFO: %s", strerror(errno));
  return memory[SK_MEMINFO_DROPS];
}

int socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

static int wait_for(int fd, short events, int64_t deadline_ns) {
  for (;;) {
    int64_t left = deadline_ns - now_ns();
    struct timespec timeout = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    struct pollfd poll = {.fd = fd, .events = events};
    if (left <= 0) return ETIMEDOUT;
    int ready = ppoll(&poll, 1, &timeout, NULL);
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int wait_readable(int fd, int64_t deadline_ns) { return wait_for(fd, POLLIN, deadline_ns); }

int connect_in_time(int fd, const struct target *target, int timeout_ms) {
  if (!connect(fd, (const struct sockaddr *)&target->address, target->length)) return 0;
  if (errno != EINPROGRESS) return errno;
  int error = wait_for(fd, POLLOUT, now_ns() + timeout_ms * NS_PER_MS);
  return error ? error : socket_error(fd);
}

int send_all(int fd, const char *data, size_t length, int64_t deadline_ns) {
  while (length > 0) {
    ssize_t sent = send(fd, data, length, 0);
    if (sent < 0 && errno != EAGAIN) return errno;
    if (sent < 0) {
      int error = wait_for(fd, POLLOUT, deadline_ns);
      if (error) return error;
      continue;
    }
    data += sent;
    length -= sent;
  }
  return 0;
}

int ask_connected(int fd, int type, const char *question, char answer[ANSWER_MAX], int timeout_ms) {
  int64_t deadline = now_ns() + timeout_ms * NS_PER_MS;
  size_t have = 0;
  int error = send_all(fd, question, strlen(question), deadline);
  while (!error) {
    error = wait_readable(fd, deadline);
    if (error) break;
    ssize_t got = recv(fd, answer + have, ANSWER_MAX - 1 - have, 0);
    if (got < 0 && errno == EAGAIN) continue;
    if (got < 0) return errno;
    if (got == 0) return ECONNRESET; // the server has closed the connection
    have += got;
    if (type == SOCK_DGRAM || answer[have - 1] == '\n') break;
  }
  answer[have] = 0;
  answer[strcspn(answer, "\n")] = 0;
  return error;
}

uint64_t sum_bytes(uint64_t sum, const void *data, size_t length) {
  for (const unsigned char *byte = data; length--; byte++) sum = (sum ^ *byte) * 0x100000001b3ull;
  return sum;
}

const char *error_name(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "unknown error";
}

bool told_to_end(void) {
  struct pollfd poll_stdin = {.fd = STDIN_FILENO, .events = POLLIN};
  char ignored[64];
  if (poll(&poll_stdin, 1, 0) <= 0) return false;
  return read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
}
