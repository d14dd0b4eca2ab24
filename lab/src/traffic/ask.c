// SPDX-License-Identifier: Apache-2.0
//
// Clients that ask who answers. `ask` takes a new socket for each question; `keep` stays with one for as long as it works.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "traffic.h"

// What a question came to.
struct outcome {
  int error; // 0, or an errno
  char answer[ANSWER_MAX];
  struct sockaddr_storage from; // who the answer came from, as the client sees it
};

// Over a UDP socket that is not connected: every datagram names its receiver.
static int ask_unconnected(int fd, const struct target *target, struct outcome *outcome, int timeout_ms) {
  socklen_t length = sizeof outcome->from;
  if (sendto(fd, "Q\n", 2, 0, (const struct sockaddr *)&target->address, target->length) < 0) return errno;
  int error = wait_readable(fd, now_ns() + timeout_ms * NS_PER_MS);
  if (error) return error;
  ssize_t got = recvfrom(fd, outcome->answer, ANSWER_MAX - 1, 0, (struct sockaddr *)&outcome->from, &length);
  if (got < 0) return errno;
  outcome->answer[got] = 0;
  return 0;
}

static void ask_once(const struct target *target, const struct options *options, struct outcome *outcome) {
  int fd = open_socket(target);
  socklen_t length = sizeof outcome->from;
  memset(outcome, 0, sizeof *outcome);
  if (target->type == SOCK_DGRAM && !options->connected) {
    outcome->error = ask_unconnected(fd, target, outcome, options->timeout_ms);
  } else {
    outcome->error = connect_in_time(fd, target, options->timeout_ms);
    if (!outcome->error) outcome->error = ask_connected(fd, target->type, "Q\n", outcome->answer, options->timeout_ms);
    if (!outcome->error && getpeername(fd, (struct sockaddr *)&outcome->from, &length)) outcome->error = errno;
  }
  close(fd);
}

// The answer is `<server> <address that it saw>`.
static void print_outcome(const struct target *target, struct outcome *outcome) {
  char from[ADDRESS_TEXT];
  if (outcome->error) {
    printf("{\"target\":\"%s\",\"ok\":false,\"error\":\"%s\"}\n", target->text, error_name(outcome->error));
    return;
  }
  char *saw = strchr(outcome->answer, ' ');
  if (saw) *saw++ = 0;
  address_text(&outcome->from, from);
  printf("{\"target\":\"%s\",\"ok\":true,\"server\":\"%s\",\"saw\":\"%s\",\"from\":\"%s\"}\n", target->text, outcome->answer,
         saw ? saw : "", from);
}

int run_ask(const struct options *options) {
  struct outcome outcome;
  for (int i = 0; i < options->targets; i++)
    for (int n = 0; n < options->count; n++) {
      ask_once(&options->target[i], options, &outcome);
      print_outcome(&options->target[i], &outcome);
    }
  return 0;
}

int run_count(const struct options *options) {
  char answer[ANSWER_MAX], server[ANSWER_MAX];
  unsigned long long strays;
  unsigned drops;
  for (int i = 0; i < options->targets; i++) {
    const struct target *target = &options->target[i];
    int fd = open_socket(target), text = 0;
    int error = connect_in_time(fd, target, options->timeout_ms);
    if (!error) error = ask_connected(fd, target->type, "C\n", answer, options->timeout_ms);
    close(fd);
    if (error) die("%s does not say what it counted: %s", target->text, error_name(error));
    if (sscanf(answer, "%511s %llu %u %n", server, &strays, &drops, &text) != 3) die("%s answers %s", target->text, answer);
    printf("{\"server\":\"%s\",\"strays\":%llu,\"lastStray\":\"%s\",\"queueDrops\":%u}\n", server, strays, answer + text, drops);
  }
  return 0;
}

// What `keep` last said, so that it says only what is new.
static char said[ANSWER_MAX + 64];
// When the last answer came, whoever gave it.
static int64_t answered_at;

static void say(const char *kind, const char *what) {
  char now[sizeof said];
  snprintf(now, sizeof now, "\"%s\":\"%s\"", kind, what);
  if (!strcmp(now, said)) return;
  strcpy(said, now);
  int64_t now_at = now_ns();
  printf("{\"ns\":%lld,\"sinceAnswerNs\":%lld,%s}\n", (long long)now_at, (long long)(answered_at ? now_at - answered_at : 0), now);
}

static void pause_ms(int ms) {
  struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS};
  nanosleep(&pause, NULL);
}

// Asks until the socket has an error. Silence is none: a connected client cannot tell it from a slow server, and asks on.
static int ask_until_error(int fd, const struct options *options) {
  char answer[ANSWER_MAX];
  while (!told_to_end()) {
    int error = ask_connected(fd, options->target[0].type, "Q\n", answer, options->timeout_ms);
    if (error == ETIMEDOUT) say("silence", "no answer");
    else if (error) return error;
    else {
      answer[strcspn(answer, " ")] = 0;
      say("server", answer);
      answered_at = now_ns();
    }
    pause_ms(options->every_ms);
  }
  return 0;
}

int run_keep(const struct options *options) {
  while (!told_to_end()) {
    int fd = open_socket(&options->target[0]);
    int error = connect_in_time(fd, &options->target[0], options->timeout_ms);
    if (!error) error = ask_until_error(fd, options);
    if (error) say("error", error_name(error));
    close(fd);
    pause_ms(options->every_ms);
  }
  return 0;
}
