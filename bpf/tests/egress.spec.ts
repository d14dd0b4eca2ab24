import {
  ConfigFlag,
  type DatapathConfig,
  Direction,
  DropReason,
  IpcacheFlag,
  MarkBits,
  PeerMode,
  PeerTx,
  ReservedIdentity,
} from '@isthmus/datapath';
import { type Datapath, Verdict } from './datapath.ts';
import { families, ipv4Fragment, loadNode, PEER, ports, STRICT, udp, VXLAN } from './encrypted-mesh.ts';
import { frame, type PacketSpec, Protocol, packet } from './packet.ts';

const IFINDEX = 1;
const [WIREGUARD, BGP] = [51_871, 179];
const FRAGMENT = 44;

let datapath: Datapath;

afterEach(() => datapath.close());

function start(flags: number, config: Partial<DatapathConfig> = {}): void {
  datapath = loadNode('egress', { flags, wireguardEvenIfindex: IFINDEX, wireguardOddIfindex: IFINDEX, ...config });
  datapath.ipcache('0.0.0.0', 0, ReservedIdentity.worldIpv4);
  datapath.ipcache('::', 0, ReservedIdentity.worldIpv6);
}

const open = (tx: PeerTx): void => datapath.peer(PEER, '192.168.1.2', PeerMode.tunnel, tx);

type More = Partial<PacketSpec> & { mark?: number };
const runBytes = (bytes: Uint8Array, mark = 0): number => datapath.run('to_netdev', bytes, { ifindex: IFINDEX, mark }).verdict;
const run = (source: string, destination: string, { mark, ...more }: More = {}): number =>
  runBytes(packet({ source, destination, ...more }), mark);

const expectEncrypted = (verdict: number): void => expect([verdict, datapath.events()]).toEqual([Verdict.redirect, []]);
const expectPlain = (verdict: number): void => expect([verdict, datapath.events()]).toEqual([Verdict.ok, []]);
function expectDropped(verdict: number, more: object = {}): void {
  expect(verdict).toBe(Verdict.shot);
  expect(datapath.events()).toMatchObject([{ subtype: DropReason.unencryptedTraffic, direction: Direction.egress, ...more }]);
}

const tcp = (to: number, from = 40_000): More => ({ payload: ports(from, to), protocol: Protocol.tcp });

/** What is left of a packet to `port` in its first fragment, or in a later one. */
function fragment(source: string, destination: string, which: 'first' | 'later', port: number): number {
  if (source.includes(':')) {
    const header = [Protocol.udp, 0, 0, which === 'first' ? 1 : 9, 0, 0, 0, 7];
    return run(source, destination, { protocol: FRAGMENT, payload: Uint8Array.from([...header, ...ports(40_000, port)]) });
  }
  return runBytes(ipv4Fragment(which, { source, destination, ...udp(port) }));
}

describe.each(families)('to_netdev, $family', ({ family, host, pod, node, remote, unknown, stranger }) => {
  it('encrypts what is to or from a pod, by the device that the peer says', () => {
    const ways = [
      [pod, remote],
      [host, remote],
      [stranger, remote],
      [pod, node],
    ] as const;
    start(STRICT);
    for (const tx of [PeerTx.even, PeerTx.odd]) {
      open(tx);
      for (const [from, to] of ways) expectEncrypted(run(from, to));
    }
  });

  it.each(['even', 'odd'] as const)('drops what is for a device that is not there: %s', (missing) => {
    start(STRICT, { [missing === 'even' ? 'wireguardEvenIfindex' : 'wireguardOddIfindex']: 0 });
    open(PeerTx[missing]);
    expectDropped(run(pod, remote));
    open(missing === 'even' ? PeerTx.odd : PeerTx.even);
    expectEncrypted(run(pod, remote));
  });

  it('drops what is for a closed peer, or for one that nobody has told us about', () => {
    start(STRICT);
    open(PeerTx.closed);
    expectDropped(run(pod, remote), { sourceIdentity: 1002, destinationIdentity: 2001, endpoint: 12 });
    expectDropped(run(host, remote), { sourceIdentity: ReservedIdentity.host });
    datapath.learn(remote, 2001, PEER + 1);
    expectDropped(run(pod, remote));
  });

  it('sends it as it is while the mesh is not strict, and encrypts what it can', () => {
    start(ConfigFlag.encrypt);
    expectEncrypted(run(pod, remote));
    open(PeerTx.closed);
    expectPlain(run(pod, remote));
    expectPlain(run(host, unknown));
    expectPlain(run(host, stranger, udp(VXLAN)));
  });

  it('takes an unknown address among the pods of another node for one of them', () => {
    start(STRICT);
    expectEncrypted(run(pod, unknown));
    expectEncrypted(run(host, unknown));
    open(PeerTx.closed);
    expectDropped(run(host, unknown));
    for (const { range } of families) datapath.meshRange(range[0], range[1], 0);
    open(PeerTx.even);
    expectDropped(run(host, unknown));
  });

  it('asks the range for an address whose node nobody has told, too', () => {
    start(STRICT);
    datapath.learn(remote, 2001);
    expectEncrypted(run(pod, remote));
  });

  it('leaves the world alone', () => {
    start(STRICT | ConfigFlag.encryptNode);
    for (const from of [host, pod]) expectPlain(run(from, stranger));
    expectPlain(run(host, stranger, tcp(443)));
  });

  it('passes what is encrypted already, and believes no other mark', () => {
    start(STRICT);
    open(PeerTx.closed);
    for (const to of [remote, node, unknown]) expectPlain(run(host, to, { mark: MarkBits.kindEncrypted | 0x4000 }));
    for (const mark of [MarkBits.kindDecrypted, MarkBits.kindHost, 0x4000]) expectDropped(run(host, remote, { mark }));
  });

  it('encrypts the tunnel’s own packets, and drops them where it does not know the node', () => {
    start(STRICT);
    expectEncrypted(run(host, node, udp(VXLAN)));
    expectDropped(run(host, stranger, udp(VXLAN)));
    open(PeerTx.closed);
    expectDropped(run(host, node, udp(VXLAN)));
    // Its source port may be any: one that is exempt too.
    datapath.exempt(Protocol.udp, WIREGUARD);
    expectDropped(run(host, node, udp(VXLAN, WIREGUARD)));
  });

  it('encrypts all pieces of datagrams between nodes: they may be the tunnel’s', () => {
    start(STRICT);
    for (const which of ['first', 'later'] as const) expectEncrypted(fragment(host, node, which, VXLAN));
    for (const which of ['first', 'later'] as const) expectEncrypted(fragment(host, node, which, 53));
    for (const which of ['first', 'later'] as const) expectPlain(fragment(host, stranger, which, 53));
  });

  it('leaves the nodes’ own packets alone, unless it is told to encrypt them', () => {
    start(STRICT);
    open(PeerTx.closed);
    expectPlain(run(host, node, udp(53)));
    expectPlain(run(host, node, tcp(443)));
    datapath.close();
    start(STRICT | ConfigFlag.encryptNode);
    expectEncrypted(run(host, node, udp(53)));
    expectEncrypted(run(host, node, tcp(443)));
    open(PeerTx.closed);
    expectDropped(run(host, node, tcp(443)), { destinationIdentity: ReservedIdentity.remoteNode });
  });

  it('sends as they are the node’s own packets to a node that has opted out, and no others', () => {
    start(STRICT | ConfigFlag.encryptNode);
    datapath.learn(node, ReservedIdentity.remoteNode, PEER, IpcacheFlag.remoteNode | IpcacheFlag.tunnelHost | IpcacheFlag.inTheClear);
    for (const tx of [PeerTx.closed, PeerTx.odd]) {
      open(tx);
      for (const more of [udp(53), tcp(443)]) expectPlain(run(host, node, more));
    }
    expectEncrypted(run(host, node, udp(VXLAN)));
    for (const [from, to] of [
      [pod, node],
      [pod, remote],
      [host, remote],
    ] as const)
      expectEncrypted(run(from, to, tcp(443)));
    open(PeerTx.closed);
    for (const to of [node, remote]) expectDropped(run(pod, to, tcp(443)));
  });

  it('sends as it is what nodes need before they can encrypt, by the port of either side', () => {
    start(STRICT | ConfigFlag.encryptNode);
    datapath.exempt(Protocol.udp, WIREGUARD);
    datapath.exempt(Protocol.tcp, BGP);
    for (const tx of [PeerTx.closed, PeerTx.odd]) {
      open(tx);
      for (const more of [udp(WIREGUARD), udp(40_000, WIREGUARD), tcp(BGP), tcp(40_000, BGP)]) expectPlain(run(host, node, more));
    }
    for (const more of [udp(BGP), tcp(WIREGUARD), tcp(BGP + 1)]) expectEncrypted(run(host, node, more));
    for (const [from, to] of [
      [pod, node],
      [pod, remote],
      [host, remote],
      [host, unknown],
    ] as const)
      expectEncrypted(run(from, to, tcp(BGP)));
    // Cut off before its ports.
    expectEncrypted(run(host, node, { payload: Uint8Array.of(0, BGP), protocol: Protocol.tcp }));
  });

  if (family === 'IPv6')
    it('never encrypts neighbour discovery between nodes', () => {
      start(STRICT | ConfigFlag.encryptNode);
      const icmp = (type: number, ttl = 255): More => ({
        protocol: Protocol.icmpv6,
        ttl,
        payload: Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0),
      });
      for (const type of [135, 136]) expectPlain(run(host, node, icmp(type)));
      expectPlain(run('fe80::1', 'ff02::1', icmp(135)));
      expectEncrypted(run(host, node, icmp(135, 254)));
      expectEncrypted(run(host, node, icmp(128)));
      expectEncrypted(run(host, remote, icmp(135)));
    });
});

it('passes other protocols, and drops mapped addresses', () => {
  start(STRICT);
  expect(runBytes(frame(0x0806))).toBe(Verdict.ok);
  expect(run('::ffff:192.168.1.1', 'fd01::7')).toBe(Verdict.shot);
  expect(datapath.events()).toMatchObject([{ subtype: DropReason.invalidPacket }]);
});
