import { ConfigFlag, DropReason, EndpointFlag, MarkBits, PeerMode, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { frame, packet } from './packet.ts';

const IFINDEX = 1;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 10);
const NODE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 20);
const families = [
  { family: 'IPv4', host: '10.0.0.254', pod: '10.0.0.2', remote: '10.1.0.7', net: ['10.1.0.0', 16], stranger: '192.0.2.1' },
  { family: 'IPv6', host: 'fd00::fe', pod: 'fd00::2', remote: 'fd01::7', net: ['fd01::', 64], stranger: '2001:db8::1' },
] as const;

let datapath: Datapath;

beforeEach(() => {
  datapath = new Datapath('host', { tunnelIfindex: IFINDEX, tunnelMtu: 1450 });
  for (const { host, pod, net } of families) {
    datapath.endpoint(host, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready, mac: MAC, nodeMac: NODE_MAC });
    datapath.ipcache(net[0], net[1], 2001, 5);
  }
  datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
});

afterEach(() => datapath.close());

const run = (source: string, destination: string, context = {}, more = {}) =>
  datapath.run('from_host', packet({ source, destination, ...more }), { ifindex: IFINDEX, ...context });

describe.each(families)('from_host, $family', ({ host, pod, remote, stranger }) => {
  /** Whom a packet counts as coming from, read from the event of a drop. */
  function identityOf(source: string, context = {}): number | undefined {
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: 0 });
    run(source, pod, context);
    return datapath.events()[0]?.sourceIdentity;
  }

  it('delivers to a pod of this node without taking a hop, and clears the mark', () => {
    const result = run(host, pod, { mark: 0x4000 }, { ttl: 1 });
    expect(result).toMatchObject({ verdict: Verdict.redirect, mark: 0 });
    expect(result.packet.subarray(0, 12)).toEqual(Uint8Array.from([...MAC, ...NODE_MAC]));
    expect(result.packet.subarray(12)).toEqual(packet({ source: host, destination: pod, ttl: 1 }).subarray(12));
  });

  it('sends to a pod of another node through the tunnel', () => {
    expect(run(host, remote).verdict).toBe(Verdict.redirect);
  });

  it('does so while the routes to a native peer are being changed, and drops what is for a closed one', () => {
    datapath.peer(5, '172.16.0.2', PeerMode.native);
    expect(run(host, remote).verdict).toBe(Verdict.redirect);
    datapath.peer(5, '172.16.0.2', PeerMode.closed);
    expect(run(host, remote).verdict).toBe(Verdict.shot);
    expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.noFib });
  });

  it('is the host for its own addresses only, or what the mark says', () => {
    expect(identityOf(host)).toBe(ReservedIdentity.host);
    expect(identityOf(stranger)).toBe(ReservedIdentity.world);
    // 0x123456: the low 16 bits stand on top, the high 8 at the bottom.
    expect(identityOf(host, { mark: (0x3456_0012 | MarkBits.kindIdentity) >>> 0 })).toBe(0x123456);
  });

  it('does not believe a forwarded source that only tunnels carry', () => {
    expect(identityOf(remote)).toBe(ReservedIdentity.world);
  });

  it('knows a source that came natively, as what has been decrypted does', () => {
    datapath.close();
    datapath = new Datapath('host', { flags: ConfigFlag.native | ConfigFlag.encrypt | ConfigFlag.encryptStrict });
    datapath.learn(remote, 2001, 5);
    expect(identityOf(remote)).toBe(2001);
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready });
    expect(run(remote, pod).verdict).toBe(Verdict.redirect);
  });

  it('drops what nobody has, instead of sending it round', () => {
    expect(run(host, stranger).verdict).toBe(Verdict.shot);
    expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.unroutable, sourceIdentity: ReservedIdentity.host });
  });

  it('drops what is for a pod that is not ready', () => {
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: 0 });
    expect(run(host, pod).verdict).toBe(Verdict.shot);
    expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.endpointNotReady, endpoint: 12, destinationIdentity: 1002 });
  });

  it('drops what does not fit into the tunnel', () => {
    expect(run(host, remote, {}, { dontFragment: true, payload: new Uint8Array(1451) }).verdict).toBe(Verdict.shot);
    expect(datapath.events()[0]).toMatchObject({ subtype: DropReason.fragNeeded });
  });
});

describe('from_host', () => {
  it('leaves the talk of the link to the kernel', () => {
    expect(datapath.run('from_host', frame(0x0806), { ifindex: IFINDEX }).verdict).toBe(Verdict.ok);
    expect(run('fe80::1', 'ff02::2').verdict).toBe(Verdict.ok);
    expect(run('10.0.0.254', '224.0.0.251').verdict).toBe(Verdict.ok);
    expect(datapath.events()).toEqual([]);
  });

  it('drops mapped addresses', () => {
    expect(run('fd00::fe', '::ffff:10.0.0.2').verdict).toBe(Verdict.shot);
  });
});
