import { ConfigFlag, Direction, DropReason, EndpointFlag, MetricReason, PeerMode, ReservedIdentity, withNetns } from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { Datapath, Verdict, XdpVerdict } from './datapath.ts';
import { GENEVE_PORT, genevePacket, OUTER_BYTES } from './geneve-packet.ts';
import { createNetns, type TestNetns } from './netns.ts';
import { address, checksum, packet } from './packet.ts';

const SENDER = 0x01_2345;
const MTU = 1430;
const DYNAMIC_PORTS = 49_152;
/** Indexes of devices in the test's namespace. */
const POD = 71;
const HOST = 72;

const OWN = { 4: '192.168.77.1', 6: 'fd77::1' } as const;
const outers = [
  { outer: 'IPv4', own: OWN[4], peer: '192.168.77.2', far: '192.0.2.1', ipLength: 20 },
  { outer: 'IPv6', own: OWN[6], peer: 'fd77::2', far: '2001:db8::1', ipLength: 40 },
] as const;
const inners = [
  { inner: 'IPv4', pod: '10.0.0.1', remote: '10.1.0.7', net: ['10.1.0.0', 16] },
  { inner: 'IPv6', pod: 'fd00::1', remote: 'fd01::7', net: ['fd01::', 64] },
] as const;

const cleanup = new Cleanup();
let netns: TestNetns;
let datapath: Datapath;

beforeAll(() => {
  netns = cleanup.add(createNetns('encap'), (made) => made.remove());
  netns.exec('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
  addDevice('under', 70, OWN[4], OWN[6]);
  addDevice('pod', POD);
  addDevice('host', HOST, '10.0.0.254', 'fd00::fe');
  netns.ip(`link set host mtu ${MTU}`);
  netns.ip('route add 10.1.0.0/16 dev host');
});

afterAll(() => cleanup.run());

function addDevice(name: string, index: number, ...own: string[]): void {
  netns.ip(`link add ${name} index ${index} type veth peer name ${name}-peer`);
  for (const device of [name, `${name}-peer`]) netns.ip(`link set ${device} up`);
  for (const ip of own) netns.ip(ip.includes(':') ? `addr add ${ip}/64 dev ${name} nodad` : `addr add ${ip}/24 dev ${name}`);
}

beforeEach(() => {
  datapath = new Datapath('pod', {
    flags: ConfigFlag.geneve,
    tunnelMtu: MTU,
    tunnelPort: GENEVE_PORT,
    underlayIpv4: address(OWN[4]),
    underlayIpv6: address(OWN[6]),
    gatewayIpv4: address('10.0.0.254'),
    gatewayIpv6: address('fd00::fe'),
    hostIfindex: HOST,
  });
  for (const { pod, net } of inners) {
    datapath.endpoint(pod, { ifindex: POD, identity: SENDER, id: 11, flags: EndpointFlag.ready });
    datapath.ipcache(net[0], net[1], 2001, 5);
  }
});

afterEach(() => datapath.close());

const run = (bytes: Uint8Array) => withNetns(netns.path, () => datapath.run('from_pod', bytes, { ifindex: POD }));

function expectDrop(bytes: Uint8Array, reason: number): void {
  expect(run(bytes).verdict).toBe(Verdict.shot);
  expect(datapath.events()).toMatchObject([{ subtype: reason, sourceIdentity: SENDER, originalLength: bytes.length }]);
  expect(datapath.metric(reason, Direction.egress).packets).toBe(1);
  expect(datapath.metric(MetricReason.forwarded, Direction.egress).packets).toBe(0);
}

const udpAt = (bytes: Uint8Array, at: number): DataView => new DataView(bytes.buffer, bytes.byteOffset + at);

describe.each(outers)('GENEVE over $outer', ({ own, peer, far, ipLength }) => {
  beforeEach(() => datapath.peer(5, peer, PeerMode.tunnel));

  it.each(inners)('is written around a packet of $inner, byte for byte, one hop less', ({ pod, remote }) => {
    const sent = packet({ source: pod, destination: remote, ttl: 9 });
    const { verdict, packet: got } = run(sent);
    expect(verdict).toBe(Verdict.redirect);
    const inner = packet({ source: pod, destination: remote, ttl: 8 });
    const sourcePort = udpAt(got, 14 + ipLength).getUint16(0);
    expect(sourcePort).toBeGreaterThanOrEqual(DYNAMIC_PORTS);
    expect(got).toEqual(genevePacket({ source: own, destination: peer, vni: SENDER, inner, sourcePort }));
    expect(got).toHaveLength(sent.length + OUTER_BYTES - 14 + ipLength + 14);
    if (ipLength === 20) expect(checksum(got.subarray(14, 34))).toBe(0);
    expect(datapath.metric(MetricReason.forwarded, Direction.egress)).toEqual({ packets: 1, bytes: sent.length });
    expect(datapath.events()).toEqual([]);
  });

  it.each(inners)('has a source port by flow ($inner)', ({ pod, remote }) => {
    const portOf = (payload: Uint8Array, hops: number): number =>
      udpAt(run(packet({ source: pod, destination: remote, payload, ttl: hops })).packet, 14 + ipLength).getUint16(0);
    const flow = (port: number, size: number): Uint8Array =>
      Uint8Array.from([port >> 8, port & 0xff, 0, 53, 0, size, ...new Uint8Array(size - 6)]);
    expect(portOf(flow(4000, 40), 64)).toBe(portOf(flow(4000, 90), 12));
    const ports = Array.from({ length: 32 }, (_, index) => portOf(flow(4000 + index, 40), 64));
    expect(new Set(ports).size).toBeGreaterThan(16);
  });

  it('shows the network what the packet knows of congestion (RFC 6040)', () => {
    for (const { pod, remote } of inners)
      for (const ecn of [0, 1, 2, 3]) {
        const { packet: got } = run(packet({ source: pod, destination: remote, ttl: 9, ecn }));
        const inner = packet({ source: pod, destination: remote, ttl: 8, ecn });
        const sourcePort = udpAt(got, 14 + ipLength).getUint16(0);
        expect(got).toEqual(genevePacket({ source: own, destination: peer, vni: SENDER, inner, sourcePort, ecn }));
      }
  });

  it('comes off again: what the other end takes for the frame is the frame', () => {
    const underlay = { underlayIpv4: address('192.168.77.2'), underlayIpv6: address('fd77::2') };
    const far = new Datapath('geneve', { flags: ConfigFlag.geneve, tunnelPort: GENEVE_PORT, ...underlay });
    try {
      const inner = packet({ source: '10.0.0.1', destination: '10.1.0.7', ttl: 8 });
      const { verdict, packet: got } = far.runXdp(
        'decap_geneve',
        run(packet({ source: '10.0.0.1', destination: '10.1.0.7', ttl: 9 })).packet,
      );
      expect(verdict).toBe(XdpVerdict.pass);
      expect(got.subarray(6, 12)).toEqual(Uint8Array.of(0x76, 0x6e, 0x69, 0x01, 0x23, 0x45));
      expect(got.subarray(12)).toEqual(inner.subarray(12));
    } finally {
      far.close();
    }
  });

  it('drops what the kernel has no route for, before anything is written', () => {
    datapath.peer(5, far, PeerMode.tunnel);
    expectDrop(packet({ source: '10.0.0.1', destination: '10.1.0.7' }), DropReason.noFib);
  });

  it('drops what a route on the way is known to be too narrow for', () => {
    const family = ipLength === 20 ? '' : '-6 ';
    const prefix = ipLength === 20 ? `${peer}/32` : `${peer}/128`;
    netns.ip(`${family}route add ${prefix} dev under mtu lock 1300`);
    try {
      const overhead = ipLength + 30;
      const sized = (size: number): Uint8Array =>
        packet({ source: '10.0.0.1', destination: '10.1.0.7', payload: new Uint8Array(size - 20), dontFragment: true });
      expect(run(sized(1300 - overhead)).verdict).toBe(Verdict.redirect);
      expect(run(sized(1300 - overhead + 1)).verdict).toBe(Verdict.shot);
      expect(datapath.events()).toMatchObject([{ subtype: DropReason.fragNeeded }]);
    } finally {
      netns.ip(`${family}route del ${prefix} dev under mtu lock 1300`);
    }
  });

  it('holds the largest packet, and answers one byte more', () => {
    const sized = (size: number): Uint8Array =>
      packet({ source: '10.0.0.1', destination: '10.1.0.7', payload: new Uint8Array(size - 20), dontFragment: true });
    expect(run(sized(MTU)).packet).toHaveLength(MTU + 14 + 30 + ipLength);
    expect(run(sized(MTU + 1)).packet.subarray(34, 36)).toEqual(Uint8Array.of(3, 4));
    expect(datapath.events()).toMatchObject([{ subtype: DropReason.fragNeeded }]);
  });
});

describe('GENEVE', () => {
  beforeEach(() => datapath.peer(5, '192.168.77.2', PeerMode.tunnel));

  it('leaves a packet that may be cut to the kernel, where its route leads to our device and nowhere else', () => {
    const large = packet({ source: '10.0.0.1', destination: '10.1.0.7', payload: new Uint8Array(MTU - 20 + 1) });
    expect(run(large)).toMatchObject({ verdict: Verdict.ok, packet: large });
    datapath.ipcache('192.168.77.128', 25, 2001, 5);
    expectDrop(packet({ source: '10.0.0.1', destination: '192.168.77.200', payload: new Uint8Array(MTU) }), DropReason.fragNeeded);
  });

  it('carries this host to others as a remote node', () => {
    const host = new Datapath('host', { flags: ConfigFlag.geneve, tunnelPort: GENEVE_PORT, underlayIpv4: address(OWN[4]) });
    try {
      host.endpoint('10.0.0.254', { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
      host.ipcache('10.1.0.0', 16, 2001, 5);
      host.peer(5, '192.168.77.2', PeerMode.tunnel);
      const inner = packet({ source: '10.0.0.254', destination: '10.1.0.7', ttl: 9 });
      const { packet: got } = withNetns(netns.path, () => host.run('from_host', inner, { ifindex: HOST }));
      const sourcePort = udpAt(got, 34).getUint16(0);
      const vni = ReservedIdentity.remoteNode;
      expect(got).toEqual(genevePacket({ source: OWN[4], destination: '192.168.77.2', vni, inner, sourcePort }));
    } finally {
      host.close();
    }
  });
});
