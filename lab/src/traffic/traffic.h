// SPDX-License-Identifier: Apache-2.0
//
// What the commands of the traffic program share: options, clock, addresses, sockets.

#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MAX_TARGETS 256
#define MAX_PLACES 32
#define ADDRESS_TEXT 80
#define ANSWER_MAX 512
#define NS_PER_MS 1000000ll
#define NS_PER_S 1000000000ll

// Whom to talk to: `TCP/10.1.0.5:80`, `UDP/[fd00::5]:53`.
struct target {
  const char *text;
  int type; // SOCK_STREAM or SOCK_DGRAM
  struct sockaddr_storage address;
  socklen_t length;
};

struct options {
  const char *name; // of the server, in its answers
  const char *from; // the source that a forged packet names
  int port;
  int count;
  int timeout_ms;
  int every_ms;
  int pps;
  int kbps;
  int bytes;
  uint64_t id; // of a flow
  int places;
  const char *place[MAX_PLACES]; // who may answer a flow
  bool connected;                // UDP sockets connect
  bool mapped;                   // IPv4 targets are asked through IPv6 sockets
  int targets;
  struct target target[MAX_TARGETS];
};

// Commands; each prints JSON, one object a line, and answers the exit status.
int run_echo(const struct options *options);
int run_ask(const struct options *options);
int run_keep(const struct options *options);
int run_flow(const struct options *options);
int run_bulk(const struct options *options);
int run_mtu(const struct options *options);
int run_forge(const struct options *options);
int run_count(const struct options *options);
int run_burst(const struct options *options);
int run_stream(const struct options *options);

// Nanoseconds of CLOCK_MONOTONIC, the clock that other programs of the machine share.
int64_t now_ns(void);

// Ends the program: the caller's mistake, or a machine that lacks what is needed.
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

bool parse_target(const char *text, bool mapped, struct target *target);

// `10.1.0.5:80`, `[fd00::5]:53`. An IPv4-mapped address is written as IPv4.
void address_text(const struct sockaddr_storage *address, char text[ADDRESS_TEXT]);

// A non-blocking socket for a target, with room for bursts; not connected.
int open_socket(const struct target *target);

// 0 when connected in time, else an errno.
int connect_in_time(int fd, const struct target *target, int timeout_ms);

// Waits for input; 0 when there is some, else an errno (ETIMEDOUT).
int wait_readable(int fd, int64_t deadline_ns);

// Sends all of a request; 0 or an errno.
int send_all(int fd, const char *data, size_t length, int64_t deadline_ns);

// Packets that reached a UDP socket and found no room in its queue: the machine was too busy to read them, nobody lost them.
uint32_t socket_drops(int fd);

// A socket's pending error, 0 when there is none.
int socket_error(int fd);

// Asks one question (two bytes) over a connected socket and reads the answer, NUL-terminated, without its line end. 0 or an errno.
int ask_connected(int fd, int type, const char *question, char answer[ANSWER_MAX], int timeout_ms);

// FNV-1a, 64 bits, going on from `sum`.
#define SUM_START 0xcbf29ce484222325ull
uint64_t sum_bytes(uint64_t sum, const void *data, size_t length);

// `ECONNREFUSED` and so on.
const char *error_name(int error);

// True once the program that started this one has closed its standard input: time to end.
bool told_to_end(void);
