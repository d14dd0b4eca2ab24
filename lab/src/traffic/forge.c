// SPDX-License-Identifier: Apache-2.0
//
// A packet that no honest sender makes: an IPv6 datagram whose source is whatever is asked for.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define HOP_LIMIT 64

struct packet {
  struct ip6_hdr ip;
  struct udphdr udp;
  char data[8];
};

static uint32_t sum_words(uint32_t sum, const void *data, size_t length) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < length; i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  return sum;
}

// RFC 8200 section 8.1: addresses, length and protocol count as well.
static uint16_t checksum(const struct packet *packet) {
  size_t length = sizeof packet->udp + sizeof packet->data;
  uint32_t sum = sum_words(length + IPPROTO_UDP, &packet->ip.ip6_src, 2 * sizeof packet->ip.ip6_src);
  sum = sum_words(sum, &packet->udp, length);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons(~sum & 0xffff);
}

static int forge(int fd, const struct in6_addr *from, const struct target *target) {
  const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)&target->address;
  struct sockaddr_in6 where = {.sin6_family = AF_INET6, .sin6_addr = to->sin6_addr};
  struct packet packet = {.data = "forged\n"};
  packet.ip.ip6_vfc = 6 << 4;
  packet.ip.ip6_plen = htons(sizeof packet - sizeof packet.ip);
  packet.ip.ip6_nxt = IPPROTO_UDP;
  packet.ip.ip6_hlim = HOP_LIMIT;
  packet.ip.ip6_src = *from;
  packet.ip.ip6_dst = to->sin6_addr;
  packet.udp.source = packet.udp.dest = to->sin6_port;
  packet.udp.len = packet.ip.ip6_plen;
  packet.udp.check = checksum(&packet);
  return sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&where, sizeof where) < 0 ? errno : 0;
}

int run_forge(const struct options *options) {
  struct in6_addr from;
  if (inet_pton(AF_INET6, options->from, &from) != 1) die("%s is no IPv6 address", options->from);
  int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
  if (fd < 0) die("no raw socket: %s", strerror(errno));
  for (int i = 0; i < options->targets; i++) {
    const struct target *target = &options->target[i];
    if (target->address.ss_family != AF_INET6) die("%s is no IPv6 target", target->text);
    int error = forge(fd, &from, target);
    printf("{\"target\":\"%s\",\"ok\":%s,\"error\":\"%s\"}\n", target->text, error ? "false" : "true",
           error ? error_name(error) : "");
  }
  close(fd);
  return 0;
}
