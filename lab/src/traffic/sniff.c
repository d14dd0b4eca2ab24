// SPDX-License-Identifier: Apache-2.0
//
// Looks at everything that comes in on some devices, and counts the packets in which the packet of a flow can be read, and those of
// them that are bare: the frame's own datagram, with no tunnel's headers around it. What leaves
// by them is not looked at: on the far end of a cable each packet that its near end sent is seen once.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "flow.h"
#include "traffic.h"

#define MAX_FLOWS 1024
#define BATCH 64
#define SNAP_BYTES 2048 // a flow's packets are far smaller
#define ROOM_BYTES (64 << 20)
#define WAIT_MS 50
#define FIRST_OF_ALL (-20) // nice value

struct seen_flow {
  uint64_t id, packets, bare;
};

struct sniffer {
  int sockets;
  struct pollfd poll[MAX_DEVICES];
  const char *device[MAX_DEVICES];
  uint64_t readable[MAX_DEVICES]; // by device
  uint64_t packets, plaintext;
  int flows;
  struct seen_flow flow[MAX_FLOWS];
};

static int open_device(const char *device) {
  int room = ROOM_BYTES;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(device)};
  if (!address.sll_ifindex) die("there is no device %s", device);
  // Without a protocol it gets nothing before it is bound.
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("packet socket: %s", strerror(errno));
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) die("SO_RCVBUFFORCE: %s", strerror(errno));
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("cannot listen on %s: %s", device, strerror(errno));
  return fd;
}

// Where the data of the frame's own UDP datagram begins; 0 when it has none. What a tunnel carries is further behind. A flow's
// packet has no options and no extension headers.
static size_t datagram(const uint8_t *frame, size_t length) {
  size_t ip = sizeof(struct ethhdr), header = 0;
  if (length < ip + 40) return 0;
  uint16_t protocol = frame[12] << 8 | frame[13];
  if (protocol == ETH_P_IP && frame[ip + 9] == IPPROTO_UDP) header = (frame[ip] & 15) * 4;
  if (protocol == ETH_P_IPV6 && frame[ip + 6] == IPPROTO_UDP) header = 40;
  return header ? ip + header + 8 : 0;
}

static void count_flow(struct sniffer *sniffer, uint64_t id, bool bare) {
  int i = 0;
  while (i < sniffer->flows && sniffer->flow[i].id != id) i++;
  if (i == MAX_FLOWS) return; // the sum still counts it
  if (i == sniffer->flows) sniffer->flow[sniffer->flows++].id = id;
  sniffer->flow[i].packets++;
  sniffer->flow[i].bare += bare;
}

static void look(struct sniffer *sniffer, int device, const char *data, size_t length) {
  const char *found = memmem(data, length, FLOW_MAGIC, FLOW_MAGIC_BYTES);
  uint64_t id;
  sniffer->packets++;
  if (!found) return;
  sniffer->plaintext++;
  sniffer->readable[device]++;
  if (length - (found - data) < FLOW_MAGIC_BYTES + sizeof id) return;
  memcpy(&id, found + FLOW_MAGIC_BYTES, sizeof id);
  count_flow(sniffer, id, (size_t)(found - data) == datagram((const uint8_t *)data, length));
}

static void read_socket(struct sniffer *sniffer, int device) {
  int fd = sniffer->poll[device].fd;
  static char data[BATCH][SNAP_BYTES];
  struct sockaddr_ll from[BATCH];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
  for (int i = 0; i < BATCH; i++) {
    parts[i] = (struct iovec){.iov_base = data[i], .iov_len = SNAP_BYTES};
    messages[i] =
        (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &from[i], .msg_namelen = sizeof from[i]}};
  }
  int got = recvmmsg(fd, messages, BATCH, 0, NULL);
  for (int i = 0; i < got; i++)
    if (from[i].sll_pkttype != PACKET_OUTGOING) look(sniffer, device, data[i], messages[i].msg_len);
}

// Packets for which the sockets had no room: about those the sniffer knows nothing.
static uint64_t dropped(const struct sniffer *sniffer) {
  uint64_t sum = 0;
  for (int i = 0; i < sniffer->sockets; i++) {
    struct tpacket_stats stats;
    socklen_t length = sizeof stats;
    if (getsockopt(sniffer->poll[i].fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
      die("PACKET_STATISTICS: %s", strerror(errno));
    sum += stats.tp_drops;
  }
  return sum;
}

static void report(const struct sniffer *sniffer) {
  printf("{\"packets\":%" PRIu64 ",\"plaintext\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"flows\":[", sniffer->packets,
         sniffer->plaintext, dropped(sniffer));
  for (int i = 0; i < sniffer->flows; i++)
    printf("%s{\"id\":\"%016" PRIx64 "\",\"packets\":%" PRIu64 ",\"bare\":%" PRIu64 "}", i ? "," : "", sniffer->flow[i].id,
           sniffer->flow[i].packets, sniffer->flow[i].bare);
  printf("],\"devices\":[");
  for (int i = 0; i < sniffer->sockets; i++)
    printf("%s{\"name\":\"%s\",\"plaintext\":%" PRIu64 "}", i ? "," : "", sniffer->device[i], sniffer->readable[i]);
  printf("]}\n");
}

int run_sniff(const struct options *options) {
  static struct sniffer sniffer;
  if (options->devices == 0) die("sniff needs a device");
  // Where everybody wants a processor its fair share of one is less than it takes to look at every packet.
  if (setpriority(PRIO_PROCESS, 0, FIRST_OF_ALL)) die("setpriority: %s", strerror(errno));
  for (int i = 0; i < options->devices; i++) {
    sniffer.device[i] = options->device[i];
    sniffer.poll[sniffer.sockets++] = (struct pollfd){.fd = open_device(options->device[i]), .events = POLLIN};
  }
  printf("{\"sniffing\":%d}\n", sniffer.sockets);
  // What arrived before the end was told is read before it is believed.
  for (bool ending = false;; ending = told_to_end()) {
    int ready = poll(sniffer.poll, sniffer.sockets, ending ? 0 : WAIT_MS);
    if (ready == 0 && ending) break;
    for (int i = 0; i < sniffer.sockets; i++)
      if (sniffer.poll[i].revents & POLLIN) read_socket(&sniffer, i);
  }
  report(&sniffer);
  return 0;
}
