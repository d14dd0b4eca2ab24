import { join } from 'node:path';
import {
  addrKeyOf,
  attachIngress,
  attachXdp,
  BpfObject,
  ConfigFlag,
  type DatapathConfig,
  type DatapathEvent,
  decodeDatapathEvent,
  EndpointFlag,
  type EndpointValue,
  encodeAddrKey,
  encodeEndpointValue,
  encodeIpcacheKey,
  encodeIpcacheValue,
  encodePeerValue,
  ensureGeneve,
  ensureVxlan,
  getLink,
  ipcacheKeyOf,
  type Link,
  NetlinkSocket,
  PeerMode,
  ReservedIdentity,
  RingBuffer,
  withNetns,
  type XdpMode,
} from '@isthmus/datapath';
import type { Cleanup } from './cleanup.ts';
import { configBytes, objectPath } from './datapath.ts';
import { GENEVE_PORT } from './geneve-packet.ts';
import { createNetns, type TestNetns } from './netns.ts';
import { address } from './packet.ts';

/** The largest IP packet that fits into VXLAN over an underlay of 1500 bytes, with an IPv6 underlay in mind. */
export const TUNNEL_MTU = 1430;

/** Addresses of node `number`'s own and its pods; the same numbers in both families. */
export const addresses = {
  underlay: (node: number) => [`192.168.77.${node}`, `fd77::${node}`] as const,
  host: (node: number) => [`10.71.${node}.254`, `fd71:${node}::fe`] as const,
  pod: (node: number, pod: number) => [`10.71.${node}.${pod}`, `fd71:${node}::${pod}`] as const,
};

/** How a node reaches others: by a device of the kernel, or in GENEVE headers that the programs write and XDP (or, to compare, tc) takes off. */
export type TestTunnel = 'vxlan' | 'geneve-device' | 'geneve' | 'geneve-tc';

const DEVICES: Partial<Record<TestTunnel, { name: string; port: number; ensure: typeof ensureVxlan }>> = {
  vxlan: { name: 'isth_vxlan', port: 8472, ensure: ensureVxlan },
  'geneve-device': { name: 'isth_geneve', port: GENEVE_PORT, ensure: ensureGeneve },
};

/** A pod with its identity. */
export interface TestPod {
  netns: TestNetns;
  identity: number;
  setReady(ready: boolean): void;
}

/** A node: a network namespace with all programs attached, whose maps the test fills by hand. */
export class TestNode {
  readonly number: number;
  readonly netns: TestNetns;
  readonly tunnel: TestTunnel;
  /** How XDP runs on the underlay device; undefined where none does. */
  readonly xdp: XdpMode | undefined;
  readonly #cleanup: Cleanup;
  readonly #folder: string;
  readonly #ring: RingBuffer;
  readonly #pods: BpfObject;

  /** The namespace exists and has its underlay device `under`; `bpffs` is where pins go. */
  constructor(number: number, netns: TestNetns, bpffs: string, cleanup: Cleanup, tunnel: TestTunnel = 'vxlan') {
    this.number = number;
    this.netns = netns;
    this.tunnel = tunnel;
    this.#cleanup = cleanup;
    this.#folder = join(bpffs, `node${number}`);
    this.#addDevices();
    this.#pods = this.#load('pod');
    this.#attach('isth_net', this.#load('host').program('from_host'));
    this.xdp = this.#receive();
    this.#ring = cleanup.add(new RingBuffer(this.#pods.map('isth_events')), (ring) => ring.close());
    for (const own of [...addresses.host(number), ...addresses.underlay(number)]) {
      this.#endpoint(own, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    }
  }

  addPod(number: number, identity: number, mtu = TUNNEL_MTU): TestPod {
    const pod = this.#cleanup.add(createNetns(`n${this.number}p${number}`), (made) => made.remove());
    const device = `pod${number}`;
    this.netns.ip(`link add ${device} type veth peer name eth0 netns ${pod.name}`);
    this.netns.ip(`link set ${device} up`);
    const near = link(this.netns, device);
    configurePod(pod, this.number, number, near.mac, mtu);
    const macs = { mac: macBytes(link(pod, 'eth0').mac), nodeMac: macBytes(near.mac) };
    this.#attach(device, this.#pods.program('from_pod'));
    const setReady = (ready: boolean): void => {
      const flags = ready ? EndpointFlag.ready : 0;
      const row = { ifindex: near.index, identity, id: number, flags, ...macs };
      for (const own of addresses.pod(this.number, number)) this.#endpoint(own, row);
    };
    setReady(true);
    return { netns: pod, identity, setReady };
  }

  /** Tells this node about another one's pod or own addresses, behind a tunnel to `tunnel`. */
  learn(known: readonly string[], identity: number, peer: number, tunnel: string): void {
    const { family, addr } = addrKeyOf(address(tunnel));
    const peerKey = new Uint8Array(Uint32Array.of(peer).buffer);
    this.#pods.map('isth_peers').set(peerKey, encodePeerValue({ family, mode: PeerMode.tunnel, tx: 0, addr, cluster: 1 }));
    for (const text of known) {
      const bytes = address(text);
      const key = encodeIpcacheKey(ipcacheKeyOf(bytes, bytes.length * 8));
      this.#pods.map('isth_ipcache').set(key, encodeIpcacheValue({ identity, peer, flags: 0, cluster: 1 }));
    }
  }

  /** Takes the events that are there. */
  events(): DatapathEvent[] {
    const events: DatapathEvent[] = [];
    this.#ring.drain((record) => events.push(decodeDatapathEvent(record)));
    return events;
  }

  #addDevices(): void {
    const [host4, host6] = addresses.host(this.number);
    const device = DEVICES[this.tunnel];
    if (device) NetlinkSocket.using('route', this.netns.path, (socket) => device.ensure(socket, { ...device, mtu: TUNNEL_MTU }));
    this.netns.ipBatch([
      ...(device ? [`link set ${device.name} up`] : []),
      `link add isth_host mtu ${TUNNEL_MTU} type veth peer name isth_net`,
      // Whom the host's frames are for is the program's business, so nobody need be asked.
      ...['isth_host', 'isth_net'].map((name) => `link set ${name} arp off up`),
      `addr add ${host4}/32 dev isth_host`,
      `addr add ${host6}/128 dev isth_host nodad`,
      `route add 10.71.0.0/16 dev isth_host src ${host4}`,
      `route add fd71::/16 dev isth_host src ${host6}`,
    ]);
    this.netns.exec('sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
  }

  /** What the network brings: from the tunnel's device, or from the underlay's. */
  #receive(): XdpMode | undefined {
    const device = DEVICES[this.tunnel];
    if (device) this.#attach(device.name, this.#load('overlay').program('from_overlay'));
    if (this.tunnel === 'geneve-tc') this.#attach('under', this.#load('tests/geneve-tc').program('decap_geneve_tc'));
    else this.#attach('under', this.#load('netdev').program('from_netdev'));
    if (this.tunnel !== 'geneve') return undefined;
    const programFd = this.#load('geneve').program('decap_geneve');
    const ifindex = link(this.netns, 'under').index;
    return withNetns(this.netns.path, () => attachXdp({ programFd, ifindex, pin: join(this.#folder, 'link_xdp') }));
  }

  #load(name: string): BpfObject {
    const device = DEVICES[this.tunnel];
    const host = link(this.netns, 'isth_host');
    const config: Partial<DatapathConfig> = {
      flags: device ? 0 : ConfigFlag.geneve,
      tunnelIfindex: device ? link(this.netns, device.name).index : 0,
      tunnelMtu: TUNNEL_MTU,
      tunnelPort: GENEVE_PORT,
      hostIfindex: host.index,
      hostMac: macBytes(host.mac),
      underlayIpv4: address(addresses.underlay(this.number)[0]),
      underlayIpv6: address(addresses.underlay(this.number)[1]),
      gatewayIpv4: address(addresses.host(this.number)[0]),
      gatewayIpv6: address(addresses.host(this.number)[1]),
    };
    const options = { path: objectPath(name), config: configBytes(config), pinFolder: this.#folder };
    return this.#cleanup.add(BpfObject.load(options), (object) => object.close());
  }

  #attach(device: string, programFd: number): void {
    const ifindex = link(this.netns, device).index;
    withNetns(this.netns.path, () => attachIngress({ programFd, ifindex, pin: join(this.#folder, `link_${device}`) }));
  }

  #endpoint(at: string, value: Partial<EndpointValue>): void {
    const none = { ifindex: 0, identity: 0, id: 0, flags: 0, policyId: 0, generation: 0, rate: 0, class: 0 };
    const row = { ...none, mac: new Uint8Array(6), nodeMac: new Uint8Array(6), ...value };
    this.#pods.map('isth_endpoints').set(encodeAddrKey(addrKeyOf(address(at))), encodeEndpointValue(row));
  }
}

/** A device as the kernel has it. */
function link(netns: TestNetns, name: string): Link {
  const found = NetlinkSocket.using('route', netns.path, (socket) => getLink(socket, name));
  if (!found) throw new Error(`${netns.name} has no device ${name}`);
  return found;
}

function configurePod(pod: TestNetns, node: number, number: number, gatewayMac: string, mtu: number): void {
  const [own4, own6] = addresses.pod(node, number);
  pod.ipBatch([
    `link set eth0 mtu ${mtu} up`,
    `addr add ${own4}/32 dev eth0`,
    `addr add ${own6}/128 dev eth0 nodad`,
    ...addresses
      .host(node)
      .flatMap((host) => [
        `neigh replace ${host} lladdr ${gatewayMac} dev eth0 nud permanent`,
        `route add ${host} dev eth0`,
        `route add default via ${host} dev eth0`,
      ]),
  ]);
}

function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':').map((byte) => Number.parseInt(byte, 16)));
}

/** Two namespaces joined by a link of 1500 bytes. */
export function joinedNetns(cleanup: Cleanup): [TestNetns, TestNetns] {
  const one = cleanup.add(createNetns('n1'), (made) => made.remove());
  const two = cleanup.add(createNetns('n2'), (made) => made.remove());
  one.ip(`link add under type veth peer name under netns ${two.name}`);
  [one, two].forEach((netns, index) => {
    const [v4, v6] = addresses.underlay(index + 1);
    netns.ip('link set under up');
    netns.ip(`addr add ${v4}/24 dev under`);
    netns.ip(`addr add ${v6}/64 dev under nodad`);
  });
  return [one, two];
}
