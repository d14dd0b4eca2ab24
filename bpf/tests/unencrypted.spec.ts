import { ConfigFlag, type DatapathConfig, Direction, DropReason, ReservedIdentity, withNetns } from '@isthmus/datapath';
import { Cleanup } from './cleanup.ts';
import { Datapath, Verdict, XdpVerdict } from './datapath.ts';
import { families, ipv4Fragment, loadNode, STRICT, udp, VXLAN } from './encrypted-mesh.ts';
import { GENEVE_PORT, genevePacket } from './geneve-packet.ts';
import { createNetns } from './netns.ts';
import { address, type PacketSpec, packet } from './packet.ts';

const IFINDEX = 1;

const cleanup = new Cleanup();
let datapath: Datapath;

afterEach(() => cleanup.run());

function start(flags: number, config: Partial<DatapathConfig> = {}): void {
  datapath = cleanup.add(loadNode('netdev', { flags, ...config }), (loaded) => loaded.close());
}

const runBytes = (bytes: Uint8Array): number => datapath.run('from_netdev', bytes, { ifindex: IFINDEX }).verdict;
const run = (source: string, destination: string, more: Partial<PacketSpec> = {}): number =>
  runBytes(packet({ source, destination, ...more }));

function expectDropped(verdict: number, more: object = {}): void {
  expect(verdict).toBe(Verdict.shot);
  expect(datapath.events()).toMatchObject([{ subtype: DropReason.unencryptedTraffic, direction: Direction.ingress, ...more }]);
}

describe.each(families)('from_netdev of a strict node, $family', ({ host, other, pod, node, remote, unknown, stranger }) => {
  it('drops what pods of other nodes never send as it is', () => {
    start(STRICT);
    for (const from of [remote, unknown]) expectDropped(run(from, pod), { endpoint: 12, destinationIdentity: 1002 });
    for (const from of [remote, unknown]) expectDropped(run(from, host), { destinationIdentity: ReservedIdentity.host });
  });

  it('drops what nodes say to pods, and leaves alone what they say to nodes', () => {
    start(STRICT);
    expectDropped(run(node, pod));
    expect(run(node, host, udp(53))).toBe(Verdict.ok);
  });

  it('lets the world in', () => {
    start(STRICT);
    expect(run(stranger, pod)).toBe(Verdict.redirect);
    expect(run(stranger, pod, udp(VXLAN))).toBe(Verdict.redirect);
    expect(run(stranger, host, udp(53))).toBe(Verdict.ok);
    expect(run(remote, stranger)).toBe(Verdict.ok);
    expect(datapath.events()).toEqual([]);
  });

  it('drops the tunnel’s own packets to this node, whoever sends them and to whichever of its addresses', () => {
    start(STRICT);
    for (const from of [node, remote, stranger]) expectDropped(run(from, host, udp(VXLAN)));
    expectDropped(run(node, other, udp(VXLAN)));
  });

  it('lets those of others through that it forwards', () => {
    start(STRICT);
    const netns = cleanup.add(createNetns('forward'), (made) => made.remove());
    netns.ip('link add out index 7 type veth peer name far');
    for (const device of ['out', 'far']) netns.ip(`link set ${device} up`);
    netns.ip('route add default dev out');
    netns.ip('-6 route add default dev out');
    netns.exec('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
    withNetns(netns.path, () => {
      expect(datapath.run('from_netdev', packet({ source: node, destination: stranger, ...udp(VXLAN) }), { ifindex: 7 }).verdict).toBe(
        Verdict.ok,
      );
      expect(datapath.events()).toEqual([]);
      expectDropped(run(node, other, udp(VXLAN)));
    });
  });

  it('takes everything that it took without encryption, or while the mesh is not strict', () => {
    for (const flags of [0, ConfigFlag.encrypt, ConfigFlag.encryptStrict]) {
      start(flags);
      for (const from of [remote, unknown, node, stranger]) expect(run(from, pod)).toBe(Verdict.redirect);
      expect(run(remote, host)).toBe(Verdict.ok);
      expect(run(node, host, udp(VXLAN))).toBe(Verdict.ok);
      expect(datapath.events()).toEqual([]);
    }
  });
});

it('takes pieces of what nodes send each other, WireGuard’s own among them, but none that begins a packet of the tunnel', () => {
  start(STRICT);
  const piece = (which: 'first' | 'later', port: number): number =>
    runBytes(ipv4Fragment(which, { source: '192.168.1.2', destination: '192.168.1.1', ...udp(port) }));
  expect([piece('first', 51_872), piece('later', 51_872), piece('later', VXLAN)]).toEqual([Verdict.ok, Verdict.ok, Verdict.ok]);
  expect(piece('first', VXLAN)).toBe(Verdict.shot);
});

describe('GENEVE without a device', () => {
  const own = { tunnelPort: GENEVE_PORT, underlayIpv4: address('192.168.1.1'), hostIfindex: IFINDEX };
  const inner = packet({ source: '10.1.0.7', destination: '10.0.0.2' });
  const outer = genevePacket({ source: '192.168.1.2', destination: '192.168.1.1', vni: 2001, inner });

  it('is not taken off before it has been decrypted', () => {
    const xdp = (flags: number): Datapath =>
      cleanup.add(new Datapath('geneve', { ...own, flags: ConfigFlag.geneve | flags }), (loaded) => loaded.close());
    const labelled = xdp(0).runXdp('decap_geneve', outer).packet;
    expect(labelled.length).toBeLessThan(outer.length);
    expect(xdp(STRICT).runXdp('decap_geneve', outer)).toEqual({ verdict: XdpVerdict.pass, packet: outer });
    expect(xdp(STRICT).runXdp('decap_geneve', labelled).verdict).toBe(XdpVerdict.drop);
    start(STRICT | ConfigFlag.geneve, own);
    expectDropped(runBytes(outer));
    // As if XDP had not looked at it: its label is not believed.
    expectDropped(runBytes(labelled), { sourceIdentity: ReservedIdentity.world });
  });
});
