import { execFileSync } from 'node:child_process';
import { attachEgress, attachIngress, type BpfObject, RingBuffer, testRun, withNetns } from '@isthmus/datapath';
import {
  decodeSniffEvent,
  FRAME_KINDS,
  type FrameKind,
  isForbidden,
  loadSniffer,
  loadTopology,
  planLab,
  type SniffEvent,
  SnifferMaps,
  sniffRules,
} from '@isthmus/lab';
import { KEY_EXCHANGE_PORT } from '@isthmus/model';
import { mountBpffs } from './bpffs.ts';
import { Cleanup } from './cleanup.ts';
import { ipv4Fragment, ports } from './encrypted-mesh.ts';
import { createNetns, type TestNetns } from './netns.ts';
import { address, frame, type PacketSpec, Protocol, packet } from './packet.ts';
import { startEcho, startFlow } from './traffic.ts';

const rules = sniffRules(planLab('lab', loadTopology('encrypted')));
const GO_ON = -1; // TC_ACT_UNSPEC: what else is attached comes next
const ARP = 0x0806;
const WIREGUARD = 51_871;
const VXLAN = 8472;
const MAGIC = Buffer.from('ISTHflow');

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** For all that is one frame: to have the programs verified takes a second. */
let loaded: BpfObject;
beforeAll(() => {
  loaded = loadSniffer({ rules });
});
afterAll(() => loaded.close());

function load(options: Parameters<typeof loadSniffer>[0] = {}): BpfObject {
  return cleanup.add(loadSniffer({ rules, ...options }), (object) => object.close());
}

function run(object: BpfObject, bytes: Uint8Array): void {
  expect(testRun(object.program('sniff_from_station'), bytes)).toMatchObject({ verdict: GO_ON, packet: bytes });
}

/** What a frame is taken for, which is one thing, and whether its event says the same. */
function kindOf(bytes: Uint8Array): FrameKind | undefined {
  const counts = () => SnifferMaps.of(loaded).counts(0, 'from', 'encrypted');
  const before = counts();
  run(loaded, bytes);
  const { frames, kinds, lost } = counts();
  expect({ frames, lost }).toEqual({ frames: before.frames + 1, lost: 0 });
  const seen = FRAME_KINDS.filter((kind) => kinds[kind] > before.kinds[kind]);
  expect(seen).toHaveLength(1);
  const events = eventsOf(loaded);
  expect(events.map(({ kind, length }) => ({ kind, length }))).toEqual(
    seen.filter(isForbidden).map((kind) => ({ kind, length: bytes.length })),
  );
  for (const event of events) expect(event.bytes).toEqual(bytes.slice(0, 128));
  return seen[0];
}

function eventsOf(object: BpfObject): SniffEvent[] {
  const ring = new RingBuffer(object.map('sniff_events'));
  const events: SniffEvent[] = [];
  ring.drain((record) => events.push(decodeSniffEvent(record)));
  ring.close();
  return events;
}

const udp = (from: number, to: number, data: Uint8Array = new Uint8Array(32)): Partial<PacketSpec> => ({
  payload: Uint8Array.from([...ports(from, to).slice(0, 4), 0, 8 + data.length, 0, 0, ...data]),
});
const tcp = (from: number, to: number): Partial<PacketSpec> => ({ protocol: Protocol.tcp, payload: ports(from, to) });
const wireguard = (type: number, length = 32): Uint8Array => Uint8Array.from([type, 0, 0, 0, ...new Uint8Array(length - 4).fill(0xaa)]);
const cut = (bytes: Uint8Array, length: number): Uint8Array => bytes.slice(0, length);
const filled = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat(parts));

const families = [
  {
    family: 'IPv4',
    node: '172.21.1.11',
    other: '172.21.2.12',
    control: '172.21.2.10',
    router: '172.21.1.1',
    pod: '10.1.0.5',
    remote: '10.2.3.4',
    service: '10.101.0.9',
    stranger: '192.0.2.1',
    upper: 34,
  },
  {
    family: 'IPv6',
    node: 'fd21:1::b',
    other: 'fd21:2::c',
    control: 'fd21:2::a',
    router: 'fd21:1::1',
    pod: 'fd10:1::5',
    remote: 'fd10:2::304',
    service: 'fd10:101::9',
    stranger: '2001:db8::1',
    upper: 54,
  },
] as const;

describe.each(families)('the sniffer, $family', ({ node, other, control, router, pod, remote, service, stranger, upper }) => {
  const between = (source: string, destination: string, more: Partial<PacketSpec> = {}): Uint8Array =>
    packet({ source, destination, ...more });
  const inner = between(pod, remote, udp(40_000, 8080));

  it.each<[string, FrameKind, Uint8Array]>([
    ['what WireGuard has encrypted', 'wireguard', between(node, other, udp(WIREGUARD, WIREGUARD, wireguard(4)))],
    ['WireGuard’s handshake', 'wireguard', between(node, other, udp(WIREGUARD + 1, WIREGUARD + 1, wireguard(1, 148)))],
    ['TLS to the agreement of preshared keys', 'exempt', between(node, other, tcp(40_000, KEY_EXCHANGE_PORT))],
    ['an answer of a mesh etcd', 'exempt', between(control, node, tcp(2479, 40_000))],
    ['what a node says to a control plane', 'station', between(node, control, udp(40_000, 53))],
    ['what the router says', 'station', between(router, node, { protocol: 1 })],
  ])('lets pass: %s', (_, kind, bytes) => {
    expect([kindOf(bytes), isForbidden(kind)]).toEqual([kind, false]);
  });

  it.each<[string, FrameKind, Uint8Array]>([
    ['a pod’s packet', 'pod', inner],
    ['a pod’s packet to the world', 'pod', between(pod, stranger)],
    ['a packet to a service', 'pod', between(node, service, tcp(40_000, 80))],
    ['a pod’s packet of a port that nodes may use', 'pod', between(pod, other, udp(WIREGUARD, WIREGUARD, wireguard(4)))],
    ['a later fragment of a pod’s packet', 'pod', fragment(inner)],
    ['a pod’s packet that is cut short', 'pod', cut(inner, upper + 2)],
    ['a pod’s packet in VXLAN', 'tunnel', between(node, other, udp(50_000, VXLAN, filled(new Uint8Array(8), inner)))],
    ['the same to a control plane', 'tunnel', between(node, control, udp(50_000, VXLAN, filled(new Uint8Array(8), inner)))],
    ['GENEVE', 'tunnel', between(node, other, udp(50_000, 6081))],
    ['what nodes say to each other', 'node', between(node, other, udp(40_000, 8080))],
    ['to WireGuard’s port, and not from it', 'node', between(node, other, udp(40_000, WIREGUARD, wireguard(4)))],
    ['between WireGuard’s ports, and none of its messages', 'malformed', between(node, other, udp(WIREGUARD, WIREGUARD, inner))],
    ['a fragment', 'fragment', fragment(between(node, other, udp(WIREGUARD, WIREGUARD, wireguard(4))))],
    ['a packet that is cut short', 'malformed', cut(between(node, other, udp(WIREGUARD, WIREGUARD, wireguard(4))), upper + 20)],
    ['one that ends in its ports', 'malformed', between(node, other, { payload: new Uint8Array(3) })],
    ['one of another version of IP', 'malformed', between(node, control).fill(0x70, 14, 15)],
    ['an address that nobody knows', 'unknown', between(node, stranger)],
    ['a flow that can be read in WireGuard', 'readable', between(node, other, udp(WIREGUARD, WIREGUARD, filled(wireguard(4), MAGIC)))],
    [
      'a flow that can be read in TLS',
      'readable',
      between(node, other, { ...tcp(40_000, KEY_EXCHANGE_PORT), payload: filled(ports(9, KEY_EXCHANGE_PORT), MAGIC) }),
    ],
  ])('counts as forbidden, and tells of: %s', (_, kind, bytes) => {
    expect([kindOf(bytes), isForbidden(kind)]).toEqual([kind, true]);
  });

  it('finds a flow wherever it is, and says which, and whether it is bare', () => {
    const object = load({ rules: undefined });
    const id = Uint8Array.from([0xe1, 0xfe, 0, 0, 0, 0, 0, 0]);
    const lengths = [0, 1, 7, 8, 9, 600, 1400];
    for (const length of lengths)
      run(object, between(pod, remote, udp(40_000, 8080, filled(new Uint8Array(length).fill(0x49), MAGIC, id))));
    run(object, between(pod, remote, udp(40_000, 8080, filled(MAGIC.subarray(0, 7), MAGIC.subarray(1)))));
    const maps = SnifferMaps.of(object);
    expect(maps.counts(0, 'from', 'encrypted')).toMatchObject({ frames: lengths.length + 1, readable: lengths.length, lost: 0 });
    expect(maps.flows()).toEqual(new Map([['000000000000fee1', { packets: lengths.length, bare: 1 }]]));
    expect(eventsOf(object)).toEqual([]);
    maps.forgetFlows();
    expect(maps.flows().size).toBe(0);
  });

  function fragment(bytes: Uint8Array): Uint8Array {
    if (!node.includes(':')) return ipv4Fragment('later', specOf(bytes));
    const { source, destination, payload } = specOf(bytes);
    const header = Uint8Array.from([Protocol.udp, 0, 0, 8, 0, 0, 0, 1]);
    return packet({ source, destination, protocol: 44, payload: filled(header, payload!) });
  }

  /** As it was made. */
  function specOf(bytes: Uint8Array): PacketSpec {
    const all = [node, other, control, router, pod, remote, service, stranger];
    const find = (at: number): string => {
      const size = node.includes(':') ? 16 : 4;
      return all.find((each) => Buffer.from(address(each)).equals(bytes.subarray(at, at + size)))!;
    };
    const [from, to] = node.includes(':') ? [22, 38] : [26, 30];
    return { source: find(from), destination: find(to), payload: bytes.slice(upper) };
  }
});

describe('the sniffer', () => {
  const solicitation = Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0);
  const report = Uint8Array.of(Protocol.icmpv6, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0);

  it.each<[string, FrameKind, Uint8Array]>([
    ['ARP', 'arp', frame(ARP)],
    ['neighbour discovery', 'neighbour', discovery('fd21:1::b', 'fd21:1::1', solicitation)],
    ['of an address that is not in use yet', 'neighbour', discovery('::', 'ff02::1', solicitation)],
    ['who listens to a group', 'neighbour', packet({ source: 'fe80::1', destination: 'ff02::16', protocol: 0, payload: report })],
    ['discovery of a pod', 'pod', discovery('fd10:1::5', 'ff02::1', solicitation)],
    ['an echo between nodes', 'node', discovery('fd21:1::b', 'fd21:2::c', Uint8Array.of(128, 0, 0, 0))],
    ['ICMPv6 without a type', 'malformed', discovery('fd21:1::b', 'fd21:1::1', new Uint8Array(0))],
    ['another protocol', 'unknown', frame(0x88cc)],
    ['a frame with a VLAN', 'unknown', frame(0x8100)],
    ['a flow in ARP', 'readable', frame(ARP, filled(new Uint8Array(28), MAGIC))],
  ])('knows %s: %s', (_, kind, bytes) => {
    expect(kindOf(bytes)).toBe(kind);
  });

  function discovery(source: string, destination: string, payload: Uint8Array): Uint8Array {
    return packet({ source, destination, protocol: Protocol.icmpv6, ttl: 255, payload });
  }

  it('counts what it cannot tell of, and misses none', () => {
    const object = load({ ringBytes: 4096 });
    const plain = packet({ source: '10.1.0.5', destination: '10.2.3.4' });
    for (let i = 0; i < 100; i++) run(object, plain);
    const told = eventsOf(object).length;
    expect(told).toBeGreaterThan(10);
    expect(told).toBeLessThan(100);
    const counts = () => SnifferMaps.of(object).counts(0, 'from', 'encrypted');
    expect(counts()).toMatchObject({ frames: 100, kinds: { pod: 100 }, lost: 100 - told });
    run(object, plain);
    expect(eventsOf(object)).toHaveLength(1);
    expect(counts()).toMatchObject({ frames: 101, lost: 100 - told });
  });

  it('keeps cables, directions, and what was expected apart', () => {
    const object = load({ cable: 3 });
    const maps = SnifferMaps.of(object);
    const plain = packet({ source: '10.1.0.5', destination: '10.2.3.4' });
    run(object, plain);
    maps.expect('plain');
    expect(maps.phase()).toBe('plain');
    for (let i = 0; i < 2; i++) testRun(object.program('sniff_to_station'), plain);
    const seen = (cable: number) =>
      (['from', 'to'] as const).map((direction) =>
        (['encrypted', 'plain'] as const).map((phase) => maps.counts(cable, direction, phase).kinds.pod),
      );
    expect([seen(3), seen(2)]).toEqual([
      [
        [1, 0],
        [0, 2],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(eventsOf(object).map(({ cable, direction, phase }) => [cable, direction, phase])).toEqual([
      [3, 'from', 'encrypted'],
      [3, 'to', 'plain'],
      [3, 'to', 'plain'],
    ]);
  });
});

describe('the sniffer on a cable', () => {
  const STATION = '192.0.2.1';
  const ROUTER = '192.0.2.2';
  let station: TestNetns;
  let router: TestNetns;

  function cable(): SnifferMaps {
    station = cleanup.add(createNetns('station'), (made) => made.remove());
    router = cleanup.add(createNetns('sniffed'), (made) => made.remove());
    router.ip(`link add port index 9 type veth peer name up netns ${station.name}`);
    station.ip(`addr add ${STATION}/24 dev up`);
    router.ip(`addr add ${ROUTER}/24 dev port`);
    station.ip('link set dev up up');
    router.ip('link set port up');
    const bpffs = cleanup.add(mountBpffs(), (made) => made.remove());
    const object = load({ rules: undefined });
    withNetns(router.path, () => {
      attachIngress({ programFd: object.program('sniff_from_station'), ifindex: 9, pin: `${bpffs.path}/from` });
      attachEgress({ programFd: object.program('sniff_to_station'), ifindex: 9, pin: `${bpffs.path}/to` });
    });
    return SnifferMaps.of(object);
  }

  it('sees each packet of a flow once, and each answer', async () => {
    const maps = cable();
    cleanup.add(await startEcho(router), (server) => server.stop());
    const flow = await startFlow(station, ROUTER, 500);
    const { sent, answered } = await flow.end();
    expect(answered).toBe(sent);
    expect(maps.counts(0, 'from', 'encrypted').readable).toBe(sent);
    expect(maps.counts(0, 'to', 'encrypted').readable).toBe(answered);
    expect([...maps.flows().values()]).toEqual([{ packets: sent, bare: sent }]);
  });

  // Near the end; and where one piece that is looked at ends, and the next one begins.
  it.each([12_500, 4026])('looks at all of a packet that is cut into segments only later, and lies in pieces: at %d', async (at) => {
    const maps = cable();
    cleanup.add(await startEcho(router), (server) => server.stop());
    // As much as goes out at once.
    const program = `const data = Buffer.alloc(13_000, 1);
      data.write('ISTHflow', ${at});
      const done = () => process.exit(0);
      require('node:net').connect(8080, '${ROUTER}').on('close', done).on('error', done).end(data);`;
    execFileSync('nsenter', [`--net=${station.path}`, process.execPath, '-e', program]);
    const { frames, readable } = maps.counts(0, 'from', 'encrypted');
    expect(readable).toBe(1);
    expect(frames).toBeLessThan(13_000 / 1448); // or it was not one packet
  });
});
