// SPDX-License-Identifier: Apache-2.0
//
// Proves traffic in a lab.
//
//   isthmus-traffic echo --name east/a1 --port 8080      answers on TCP and UDP, IPv4 and IPv6: who it is, and whom it saw
//   isthmus-traffic ask  [--count N] TARGET...           asks each target, each time with a socket of its own
//   isthmus-traffic keep [--every-ms N] TARGET           asks over one connected socket, says whenever another one answers
//   isthmus-traffic flow --pps N TARGET                  N numbered packets a second, each to be answered; says what was lost.
//                   [--id HEX] [--place P]...            only places P may answer; the server counts what is meant for another
//   isthmus-traffic stream [--id HEX] --kbps N TARGET    one TCP connection that carries N kbit/s; says what arrived, longest stall
//   isthmus-traffic count TARGET...                      what each server counted: packets of flows meant for others, and dropped
//   isthmus-traffic bulk --bytes N TARGET                one write, whose checksum the server must see
//   isthmus-traffic mtu  --bytes N TARGET                a packet of N bytes that must not be fragmented, then one of N + 1
//   isthmus-traffic forge --from ADDRESS TARGET          an IPv6 datagram that names another's address, or one that cannot be, as
//   its source
//   isthmus-traffic burst [--count N] --bytes N TARGET   super-packets of datagrams of N bytes, each datagram to be answered
//
// keep, flow and stream go on until their standard input ends. A target is TCP/10.1.0.5:80 or UDP/[fd00::5]:53.

#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traffic.h"

static const struct command {
  const char *name;
  int (*run)(const struct options *options);
  int least_targets;
} commands[] = {
    {"echo", run_echo, 0}, {"ask", run_ask, 1},     {"keep", run_keep, 1},   {"flow", run_flow, 1},   {"bulk", run_bulk, 1},
    {"mtu", run_mtu, 1},   {"count", run_count, 1}, {"forge", run_forge, 1}, {"burst", run_burst, 1}, {"stream", run_stream, 1},
};

static const struct option known[] = {
    {"name", required_argument, NULL, 'n'},       {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'c'},      {"pps", required_argument, NULL, 'r'},
    {"timeout-ms", required_argument, NULL, 't'}, {"every-ms", required_argument, NULL, 'e'},
    {"bytes", required_argument, NULL, 'b'},      {"connected", no_argument, NULL, 'C'},
    {"mapped", no_argument, NULL, 'm'},           {"from", required_argument, NULL, 'f'},
    {"id", required_argument, NULL, 'i'},         {"place", required_argument, NULL, 'P'},
    {"kbps", required_argument, NULL, 'k'},       {NULL, 0, NULL, 0},
};

static int positive(const char *text) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*end || value < 1 || value > 1 << 24) die("%s is no positive number", text);
  return (int)value;
}

static uint64_t hexadecimal(const char *text) {
  char *end;
  uint64_t value = strtoull(text, &end, 16);
  if (*end || end == text) die("%s is no hexadecimal number", text);
  return value;
}

static void add(const char *list[], int *count, int room) {
  if (*count == room) die("more than %d times %s", room, optarg);
  list[(*count)++] = optarg;
}

static void read_option(int letter, struct options *options) {
  switch (letter) {
  case 'n':
    options->name = optarg;
    break;
  case 'p':
    options->port = positive(optarg);
    break;
  case 'c':
    options->count = positive(optarg);
    break;
  case 'r':
    options->pps = positive(optarg);
    break;
  case 't':
    options->timeout_ms = positive(optarg);
    break;
  case 'e':
    options->every_ms = positive(optarg);
    break;
  case 'k':
    options->kbps = positive(optarg);
    break;
  case 'b':
    options->bytes = positive(optarg);
    break;
  case 'f':
    options->from = optarg;
    break;
  case 'i':
    options->id = hexadecimal(optarg);
    break;
  case 'P':
    add(options->place, &options->places, MAX_PLACES);
    break;
  case 'C':
    options->connected = true;
    break;
  case 'm':
    options->mapped = true;
    break;
  default:
    exit(2); // getopt has said what is wrong
  }
}

static void read_targets(int argc, char **argv, struct options *options) {
  for (int i = optind; i < argc; i++) {
    if (options->targets == MAX_TARGETS) die("more than %d targets", MAX_TARGETS);
    if (!parse_target(argv[i], options->mapped, &options->target[options->targets++])) die("%s is no target", argv[i]);
  }
}

int main(int argc, char **argv) {
  static struct options options = {.name = "",
                                   .from = "",
                                   .port = 8080,
                                   .count = 1,
                                   .timeout_ms = 1000,
                                   .every_ms = 20,
                                   .pps = 1000,
                                   .kbps = 1000,
                                   .bytes = 65536};
  const char *name = argc > 1 ? argv[1] : "";
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  optind = 2;
  for (int letter; argc > 1 && (letter = getopt_long(argc, argv, "", known, NULL)) != -1;) read_option(letter, &options);
  read_targets(argc, argv, &options);
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(commands[i].name, name)) continue;
    if (options.targets < commands[i].least_targets) die("%s needs a target", name);
    return commands[i].run(&options);
  }
  die("unknown command '%s'", name);
}
