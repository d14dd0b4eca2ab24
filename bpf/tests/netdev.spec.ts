import { ConfigFlag, DropReason, EndpointFlag, IpcacheFlag, PeerMode, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { frame, packet } from './packet.ts';

const IFINDEX = 1;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 10);
const families = [
  { family: 'IPv4', node: '192.168.1.1', pod: '10.0.0.2', source: '10.1.0.7', net: ['10.1.0.0', 16], world: ReservedIdentity.worldIpv4 },
  { family: 'IPv6', node: 'fd99::1', pod: 'fd00::2', source: 'fd01::7', net: ['fd01::', 64], world: ReservedIdentity.worldIpv6 },
] as const;

let datapath: Datapath;

afterEach(() => datapath.close());

function start(flags: number): void {
  datapath = new Datapath('netdev', { flags });
  for (const { pod, node } of families) {
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready, mac: MAC });
    datapath.endpoint(node, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
  }
}

const run = (source: string, destination: string, more = {}) =>
  datapath.run('from_netdev', packet({ source, destination, ...more }), { ifindex: IFINDEX });

describe.each(families)('from_netdev, $family', ({ node, pod, source, net, world }) => {
  function identityOf(from: string): number | undefined {
    run(from, pod, { ttl: 1 });
    return datapath.events()[0]?.sourceIdentity;
  }

  it('delivers to a pod, one hop less', () => {
    start(0);
    const result = run(source, pod);
    expect(result.verdict).toBe(Verdict.redirect);
    expect(result.packet.subarray(14)).toEqual(packet({ source, destination: pod, ttl: 63 }).subarray(14));
  });

  it('leaves everything else to the kernel', () => {
    start(0);
    expect(run(source, node).verdict).toBe(Verdict.ok);
    expect(run(pod, source).verdict).toBe(Verdict.ok);
    expect(datapath.run('from_netdev', frame(0x0806), { ifindex: IFINDEX }).verdict).toBe(Verdict.ok);
  });

  it('calls strangers the world, by family where both are on', () => {
    start(0);
    expect(identityOf(source)).toBe(ReservedIdentity.world);
    datapath.close();
    start(ConfigFlag.dualStack);
    expect(identityOf(source)).toBe(world);
  });

  it('knows sources that come natively, and does not believe those that only tunnels carry', () => {
    start(ConfigFlag.native);
    datapath.ipcache(net[0], net[1], 2001, 5);
    // The far end may have found its native way before this one found its own.
    for (const mode of [PeerMode.native, PeerMode.tunnel]) {
      datapath.peer(5, '172.16.0.2', mode);
      expect(identityOf(source)).toBe(2001);
    }
    datapath.close();
    start(0);
    datapath.ipcache(net[0], net[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
    expect(identityOf(source)).toBe(ReservedIdentity.world);
    datapath.ipcache(net[0], net[1], ReservedIdentity.remoteNode, 5, IpcacheFlag.remoteNode);
    expect(identityOf(source)).toBe(ReservedIdentity.remoteNode);
  });

  it('drops the last hop', () => {
    start(0);
    expect(run(source, pod, { ttl: 1 }).verdict).toBe(Verdict.shot);
    expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.ttlExceeded, endpoint: 12, destinationIdentity: 1002 });
  });
});

it('drops mapped addresses from the network', () => {
  start(0);
  expect(run('::ffff:10.1.0.7', 'fd00::2').verdict).toBe(Verdict.shot);
  expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.invalidPacket });
});
