import { Direction, DropReason, EndpointFlag, PeerMode, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { type PacketSpec, Protocol, packet } from './packet.ts';

/** Loopback: the one device that every network namespace has. */
const IFINDEX = 1;
const [VXLAN, DNS] = [8472, 53];
const [UDP, TCP] = [17, 6];
const [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION] = [0, 43, 44, 51, 60];
const IPV4_FRAGMENT_AT = 14 + 6;

const families = [
  {
    family: 'IPv4',
    a: '10.0.0.1',
    b: '10.0.0.2',
    host: '10.0.0.254',
    node: '172.16.0.2',
    pods: ['10.1.0.0', 16],
    pod: '10.1.0.7',
    world: '192.0.2.1',
  },
  {
    family: 'IPv6',
    a: 'fd00::1',
    b: 'fd00::2',
    host: 'fd00::fe',
    node: 'fd99::2',
    pods: ['fd01::', 64],
    pod: 'fd01::7',
    world: '2001:db8::1',
  },
] as const;

let datapath: Datapath;

beforeEach(() => {
  datapath = new Datapath('pod', { tunnelIfindex: IFINDEX, tunnelMtu: 1450, tunnelPort: VXLAN });
  for (const { a, b, host, node, pods } of families) {
    datapath.endpoint(a, { ifindex: IFINDEX, identity: 1001, id: 11, flags: EndpointFlag.ready });
    datapath.endpoint(b, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready });
    datapath.endpoint(host, { ifindex: 98, identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    datapath.ipcache(pods[0], pods[1], 2001, 5);
    datapath.learn(node, ReservedIdentity.remoteNode, 5);
  }
  datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
});

afterEach(() => datapath.close());

/** A UDP header without checksum, and eight bytes that could be a VXLAN header. */
function datagram(port: number): number[] {
  return [0xc0, 0, port >> 8, port & 0xff, 0, 16, 0, 0, 8, 0, 0, 0, 0, 0, 7, 0];
}

const send = (bytes: Uint8Array): number => datapath.run('from_pod', bytes, { ifindex: IFINDEX }).verdict;
const udp = (source: string, destination: string, port: number, more: Partial<PacketSpec> = {}): Uint8Array =>
  packet({ source, destination, payload: Uint8Array.from(datagram(port)), ...more });

/** Reasons of all drops since the last look. */
const reasons = (): number[] => datapath.events().map(({ subtype }) => subtype);

describe.each(families)('a pod and the tunnel port, $family', ({ a, b, host, node, pod, world }) => {
  it('is refused by every address that may be a node: its own, others, and such as nobody knows', () => {
    for (const destination of [host, node, world]) {
      expect(send(udp(a, destination, VXLAN))).toBe(Verdict.shot);
      expect(reasons()).toEqual([DropReason.encapProhibited]);
      expect(send(udp(a, destination, DNS))).not.toBe(Verdict.shot);
      expect(send(udp(a, destination, VXLAN, { protocol: TCP }))).not.toBe(Verdict.shot);
    }
    expect(datapath.metric(DropReason.encapProhibited, Direction.egress).packets).toBe(3);
  });

  it('may use that port among pods', () => {
    for (const destination of [b, pod]) expect(send(udp(a, destination, VXLAN))).toBe(Verdict.redirect);
    expect(reasons()).toEqual([]);
  });

  it('is refused what is cut short before its port', () => {
    expect(send(packet({ source: a, destination: host, payload: Uint8Array.of(0xc0, 0) }))).toBe(Verdict.shot);
    expect(reasons()).toEqual([DropReason.encapProhibited]);
  });
});

describe('a fragment of IPv4', () => {
  const { a, host } = families[0];
  const fragment = (offset: number, options = 0): Uint8Array => {
    const bytes = udp(a, host, VXLAN);
    new DataView(bytes.buffer).setUint16(IPV4_FRAGMENT_AT, 0x2000 | offset);
    if (options === 0) return bytes;
    bytes[14] = 0x45 + options;
    return Uint8Array.from([...bytes.subarray(0, 34), ...new Uint8Array(4 * options), ...bytes.subarray(34)]);
  };

  it('is judged by the first one: the others carry no port', () => {
    expect([send(fragment(0)), send(fragment(1))]).toEqual([Verdict.shot, Verdict.ok]);
  });

  it('is judged behind options of the IP header too', () => {
    expect(send(fragment(0, 3))).toBe(Verdict.shot);
    expect(reasons()).toEqual([DropReason.encapProhibited]);
  });
});

describe('headers of IPv6 before the datagram', () => {
  const { a, host } = families[1];
  type Extension = readonly [type: number, bytes: readonly number[]];
  const options: Extension = [DESTINATION, [0, 0, 1, 4, 0, 0, 0, 0]];
  const longer: Extension = [HOP_BY_HOP, [0, 1, 1, 12, ...new Array<number>(12).fill(0)]];
  const routing: Extension = [ROUTING, [0, 0, 4, 0, 0, 0, 0, 0]];
  const authentication: Extension = [AUTHENTICATION, [0, 1, ...new Array<number>(10).fill(0)]];
  const first: Extension = [FRAGMENT, [0, 0, 0, 1, 0, 0, 0, 1]];
  const later: Extension = [FRAGMENT, [0, 0, 0, 9, 0, 0, 0, 1]];

  const sent = (port: number, ...extensions: readonly Extension[]): number => {
    const types = [...extensions.map(([type]) => type), UDP];
    const headers = extensions.flatMap(([, bytes], i) => [types[i + 1] as number, ...bytes.slice(1)]);
    return send(
      packet({ source: a, destination: host, protocol: types[0] as number, payload: Uint8Array.from([...headers, ...datagram(port)]) }),
    );
  };

  it.each<[string, readonly Extension[]]>([
    ['options', [options]],
    ['longer options', [longer]],
    ['a route', [routing]],
    ['a first fragment', [first]],
    ['authentication', [authentication]],
    ['four of them', [longer, options, routing, first]],
  ])('%s do not hide the port', (_, extensions) => {
    expect([sent(VXLAN, ...extensions), sent(DNS, ...extensions)]).toEqual([Verdict.shot, Verdict.ok]);
    expect(reasons()).toEqual([DropReason.encapProhibited]);
  });

  it('a later fragment carries no port, and more headers than anybody sends are refused', () => {
    expect(sent(VXLAN, later)).toBe(Verdict.ok);
    expect(sent(DNS, options, options, options, options, options)).toBe(Verdict.shot);
    expect(reasons()).toEqual([DropReason.encapProhibited]);
  });

  it('what ends within a header is refused', () => {
    expect(send(packet({ source: a, destination: host, protocol: Protocol.hopByHop, payload: Uint8Array.of(UDP, 40, 1) }))).toBe(
      Verdict.shot,
    );
  });
});
