// SPDX-License-Identifier: Apache-2.0
//
// One HTTP call to the agent over its unix socket.

#pragma once
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "json-text.h"

#ifndef TIMEOUT_S
#define TIMEOUT_S 90 // seconds for the whole call
#endif
#define ANSWER_MAX (4096 * 1024) // bytes; GC may name every attachment

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

// Gives the next operation on the socket what is left of the time for the call.
static bool arm(int fd, long deadline) {
  long left = deadline - now_ms();
  if (left <= 0) {
    errno = ETIMEDOUT;
    return false;
  }
  struct timeval t = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
  return !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static int connect_agent(const char *path, long deadline) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (arm(fd, deadline) && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static bool send_all(int fd, const struct buffer *b, long deadline) {
  for (size_t done = 0; done < b->length;) {
    if (!arm(fd, deadline)) return false;
    ssize_t sent = send(fd, b->data + done, b->length - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    done += sent;
  }
  return true;
}

static bool receive_all(int fd, struct buffer *answer, long deadline) {
  char chunk[16384];
  while (answer->length <= ANSWER_MAX) {
    if (!arm(fd, deadline)) return false;
    ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    append(answer, chunk, got);
  }
  errno = EMSGSIZE;
  return false;
}

// Splits an HTTP answer. A body shorter than announced means that the agent died while writing.
static bool parse_answer(const struct buffer *answer, int *status, struct buffer *body) {
  const char *end = answer->length ? strstr(answer->data, "\r\n\r\n") : NULL;
  errno = EPROTO;
  if (!end || sscanf(answer->data, "HTTP/1.%*d %d", status) != 1) return false;
  append(body, end + 4, answer->data + answer->length - end - 4);
  const char *announced = strcasestr(answer->data, "\r\nContent-Length:");
  return !announced || announced > end || strtoul(announced + 17, NULL, 10) == body->length;
}

// HTTP/1.0, so that the answer is neither chunked nor kept alive. On failure errno says why.
static bool call_agent(const char *path, const char *command, const struct buffer *body, int *status, struct buffer *answer) {
  char head[256];
  struct buffer request = {0}, raw = {0};
  long deadline = now_ms() + TIMEOUT_S * 1000L;
  snprintf(head, sizeof head,
           "POST /v1/cni/%s HTTP/1.0\r\nHost: isthmus\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", command,
           body->length);
  append_text(&request, head);
  append(&request, body->data, body->length);
  int fd = connect_agent(path, deadline);
  if (fd < 0) return false;
  bool done = send_all(fd, &request, deadline) && receive_all(fd, &raw, deadline);
  int error = errno == EAGAIN ? ETIMEDOUT : errno;
  close(fd);
  errno = error;
  return done && parse_answer(&raw, status, answer);
}

// No agent is listening, or it died during the call; as opposed to one that runs and does not answer.
static bool is_away(int error) {
  return error == ENOENT || error == ECONNREFUSED || error == ECONNRESET || error == EPIPE || error == EPROTO;
}
