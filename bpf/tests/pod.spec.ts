import { Direction, DropReason, EndpointFlag, EventConstant, EventType, MetricReason, PeerMode, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { address, checksum, frame, icmpv6Checksum, Protocol, packet } from './packet.ts';

/** Loopback: the one device that every network namespace has. */
const IFINDEX = 1;
const MTU = 1450;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 10);
const NODE_MAC = Uint8Array.of(2, 0, 0, 0, 0, 20);

/** The same test for both families. */
const families = [
  { family: 'IPv4', a: '10.0.0.1', b: '10.0.0.2', host: '10.0.0.254', remote: '10.1.0.7', remoteNet: ['10.1.0.0', 16], world: '192.0.2.1' },
  { family: 'IPv6', a: 'fd00::1', b: 'fd00::2', host: 'fd00::fe', remote: 'fd01::7', remoteNet: ['fd01::', 64], world: '2001:db8::1' },
] as const;

const TUNNEL_PORT = 8472;

/** A UDP header with 8 bytes behind it. */
function udp(to: number, from = 40_000): Uint8Array {
  return Uint8Array.from([from >> 8, from & 0xff, to >> 8, to & 0xff, 0, 16, 0, 0, ...new Array<number>(8).fill(0)]);
}

let datapath: Datapath;

beforeEach(() => {
  const gateway = { gatewayIpv4: address('10.0.0.254'), gatewayIpv6: address('fd00::fe') };
  datapath = new Datapath('pod', { tunnelIfindex: IFINDEX, tunnelMtu: MTU, ...gateway });
});

afterEach(() => datapath.close());

function localPods(flags: number = EndpointFlag.ready): void {
  for (const { a, b, host } of families) {
    datapath.endpoint(a, { ifindex: IFINDEX, identity: 1001, id: 11, flags: EndpointFlag.ready });
    datapath.endpoint(b, { ifindex: 99, identity: 1002, id: 12, flags, mac: MAC, nodeMac: NODE_MAC });
    datapath.endpoint(host, { ifindex: 98, identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
  }
}

const run = (source: string, destination: string, more: object = {}) =>
  datapath.run('from_pod', packet({ source, destination, ...more }), { ifindex: IFINDEX });

/** The one event that must be there. */
function onlyEvent() {
  const events = datapath.events();
  expect(events).toHaveLength(1);
  return events[0]!;
}

function expectDrop(result: { verdict: number }, reason: number): void {
  expect(result.verdict).toBe(Verdict.shot);
  expect(onlyEvent()).toMatchObject({ type: EventType.drop, subtype: reason });
  expect(datapath.metric(reason, Direction.egress).packets).toBe(1);
}

describe.each(families)('from_pod, $family', ({ family, a, b, host, remote, remoteNet, world }) => {
  it('delivers to a pod of the same node with its addresses and one hop less', () => {
    localPods();
    const sent = packet({ source: a, destination: b, ttl: 64 });
    const { verdict, packet: got } = datapath.run('from_pod', sent, { ifindex: IFINDEX });
    expect(verdict).toBe(Verdict.redirect);
    expect(got.subarray(0, 12)).toEqual(Uint8Array.from([...MAC, ...NODE_MAC]));
    expect(got.subarray(12)).toEqual(packet({ source: a, destination: b, ttl: 63 }).subarray(12));
    expect(datapath.metric(MetricReason.forwarded, Direction.ingress)).toEqual({ packets: 1, bytes: sent.length });
    expect(datapath.events()).toEqual([]);
  });

  it('drops what is for a pod that is not ready', () => {
    localPods(0);
    expectDrop(run(a, b), DropReason.endpointNotReady);
  });

  it('drops what a pod that is not ready sends', () => {
    localPods();
    datapath.endpoint(a, { ifindex: IFINDEX, identity: 1001, id: 11, flags: 0 });
    expectDrop(run(a, b), DropReason.endpointNotReady);
  });

  it('drops a source that is nobody, another pod or the host', () => {
    localPods();
    for (const forged of [world, b, host]) {
      expect(run(forged, b).verdict).toBe(Verdict.shot);
      expect(onlyEvent()).toMatchObject({ subtype: DropReason.invalidSource, sourceIdentity: 0 });
    }
    datapath.endpoint(host, { ifindex: IFINDEX, identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    expect(run(host, b).verdict).toBe(Verdict.shot);
  });

  it('fails closed on an enforced direction', () => {
    localPods(EndpointFlag.ready | EndpointFlag.enforceIngress);
    expectDrop(run(a, b), DropReason.policyDenied);
    datapath.endpoint(a, { ifindex: IFINDEX, identity: 1001, flags: EndpointFlag.ready | EndpointFlag.enforceEgress });
    expect(run(a, world).verdict).toBe(Verdict.shot);
  });

  it('leaves the host and the world to the kernel', () => {
    localPods();
    expect(run(a, host, { ttl: 1 }).verdict).toBe(Verdict.ok);
    expect(run(a, world).verdict).toBe(Verdict.ok);
    expect(datapath.events()).toEqual([]);
  });

  it('lets nothing for a pod of unknown place out of the mesh', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 0);
    expectDrop(run(a, remote), DropReason.noTunnelEndpoint);
  });

  it('sends to another node through the tunnel, one hop less', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    for (const tunnel of ['172.16.0.2', 'fd99::2']) {
      datapath.peer(5, tunnel, PeerMode.tunnel);
      const { verdict, packet: got } = run(a, remote);
      expect(verdict).toBe(Verdict.redirect);
      expect(got).toEqual(packet({ source: a, destination: remote, ttl: 63 }));
    }
    expect(datapath.metric(MetricReason.forwarded, Direction.egress).packets).toBe(2);
  });

  it('prefers the longest prefix', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.ipcache(remote, family === 'IPv4' ? 32 : 128, ReservedIdentity.world, 0);
    expect(run(a, remote).verdict).toBe(Verdict.ok);
  });

  it('drops what is behind a peer that it does not know', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    const result = run(a, remote);
    expect(result.verdict).toBe(Verdict.shot);
    expect(onlyEvent()).toMatchObject({
      subtype: DropReason.noTunnelEndpoint,
      sourceIdentity: 1001,
      destinationIdentity: 2001,
      endpoint: 11,
    });
  });

  it('leaves a native peer to the routes', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.native);
    expect(run(a, remote).verdict).toBe(Verdict.ok);
  });

  it('drops what is for a peer that there is no way to', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.closed);
    expectDrop(run(a, remote), DropReason.noFib);
  });

  it('drops the last hop, here and towards another node', () => {
    localPods();
    expectDrop(run(a, b, { ttl: 1 }), DropReason.ttlExceeded);
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
    expect(run(a, remote, { ttl: 1 }).verdict).toBe(Verdict.shot);
    expect(run(a, remote, { ttl: 2 }).verdict).toBe(Verdict.redirect);
  });

  it('tells the pod when its packet does not fit into the tunnel, and not one byte earlier', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
    const header = family === 'IPv4' ? 20 : 40;
    const big = (size: number) => run(a, remote, { dontFragment: true, payload: new Uint8Array(size - header).fill(7) });
    expect(big(MTU).packet).toHaveLength(MTU + 14);
    expect(datapath.events()).toEqual([]);
    const { verdict, packet: answer } = big(MTU + 1);
    expect(verdict).toBe(Verdict.redirect);
    expect(onlyEvent()).toMatchObject({ subtype: DropReason.fragNeeded, originalLength: MTU + 15 });
    expectTooBig(
      answer.subarray(14),
      packet({ source: a, destination: remote, dontFragment: true, payload: new Uint8Array(MTU + 1 - header) }),
    );
  });

  it('lets super-packets and packets that may be cut through', () => {
    localPods();
    datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
    datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
    const payload = new Uint8Array(3000);
    const sent = packet({ source: a, destination: remote, dontFragment: true, payload });
    expect(datapath.run('from_pod', sent, { ifindex: IFINDEX, gsoSize: 1400 }).verdict).toBe(Verdict.redirect);
    if (family === 'IPv4') expect(run(a, remote, { payload }).packet).toHaveLength(14 + 20 + 3000);
    expect(datapath.events()).toEqual([]);
  });

  describe('what looks like the tunnel', () => {
    const [before, after] =
      family === 'IPv4'
        ? [[], []]
        : [
            [17, 0, 0, 0, 0, 0, 0, 0],
            [17, 1, ...new Array<number>(14).fill(0)],
          ];
    const pods = (): void => {
      datapath.close();
      datapath = new Datapath('pod', { tunnelIfindex: IFINDEX, tunnelMtu: MTU, tunnelPort: TUNNEL_PORT });
      localPods();
    };

    it('gets nowhere but to pods', () => {
      pods();
      datapath.ipcache(remote, family === 'IPv4' ? 32 : 128, ReservedIdentity.remoteNode, 5);
      for (const mode of [PeerMode.tunnel, PeerMode.native]) {
        datapath.peer(5, '172.16.0.2', mode);
        expect(run(a, remote, { payload: udp(TUNNEL_PORT) }).verdict).toBe(Verdict.shot);
        expect(onlyEvent()).toMatchObject({ subtype: DropReason.encapProhibited, destinationIdentity: ReservedIdentity.remoteNode });
      }
      for (const node of [host, world]) {
        expect(run(a, node, { payload: udp(TUNNEL_PORT) }).verdict).toBe(Verdict.shot);
        expect(onlyEvent()).toMatchObject({ subtype: DropReason.encapProhibited, sourceIdentity: 1001, endpoint: 11 });
      }
      expect(datapath.metric(DropReason.encapProhibited, Direction.egress).packets).toBe(4);
      datapath.ipcache(remoteNet[0], remoteNet[1], 2001, 5);
      datapath.ipcache(remote, family === 'IPv4' ? 32 : 128, 2001, 5);
      datapath.peer(5, '172.16.0.2', PeerMode.tunnel);
      for (const pod of [b, remote]) expect(run(a, pod, { payload: udp(TUNNEL_PORT) }).verdict).toBe(Verdict.redirect);
    });

    it('is UDP to that port and nothing else', () => {
      pods();
      for (const node of [host, world]) {
        expect(run(a, node, { payload: udp(TUNNEL_PORT + 1) }).verdict).toBe(Verdict.ok);
        expect(run(a, node, { payload: udp(53, TUNNEL_PORT) }).verdict).toBe(Verdict.ok);
        expect(run(a, node, { protocol: Protocol.tcp, payload: udp(TUNNEL_PORT) }).verdict).toBe(Verdict.ok);
      }
      expect(datapath.events()).toEqual([]);
    });

    it('is known by its first fragment; the others are nothing without it', () => {
      pods();
      const fragment = (offset: number, port: number): number => {
        if (family === 'IPv6') {
          const payload = Uint8Array.from([17, 0, offset >> 5, ((offset << 3) & 0xff) | 1, 0, 0, 0, 9, ...udp(port)]);
          return run(a, host, { protocol: 44, payload }).verdict;
        }
        const sent = packet({ source: a, destination: host, payload: udp(port) });
        new DataView(sent.buffer).setUint16(14 + 6, 0x2000 | offset);
        return datapath.run('from_pod', sent, { ifindex: IFINDEX }).verdict;
      };
      expect(fragment(0, TUNNEL_PORT)).toBe(Verdict.shot);
      expect(onlyEvent()).toMatchObject({ subtype: DropReason.encapProhibited });
      expect(fragment(0, 53)).toBe(Verdict.ok);
      expect(fragment(2, TUNNEL_PORT)).toBe(Verdict.ok);
      expect(fragment(32, TUNNEL_PORT)).toBe(Verdict.ok);
    });

    it('is found behind options and extension headers', () => {
      pods();
      const verdict = (port: number, protocol = 60): number => {
        if (family === 'IPv6') return run(a, host, { protocol, payload: Uint8Array.from([...before, ...udp(port)]) }).verdict;
        const sent = packet({ source: a, destination: host, payload: Uint8Array.from([1, 1, 1, 0, ...udp(port)]) });
        sent[14] = 0x46;
        return datapath.run('from_pod', sent, { ifindex: IFINDEX }).verdict;
      };
      for (const protocol of [0, 43, 60]) {
        expect(verdict(TUNNEL_PORT, protocol)).toBe(Verdict.shot);
        expect(verdict(53, protocol)).toBe(Verdict.ok);
      }
      if (family === 'IPv4') return;
      const long = (port: number) => run(a, host, { protocol: 60, payload: Uint8Array.from([...after, ...udp(port)]) }).verdict;
      expect([long(TUNNEL_PORT), long(53)]).toEqual([Verdict.shot, Verdict.ok]);
      const chain = (headers: number) =>
        run(a, host, {
          protocol: 60,
          payload: Uint8Array.from([...new Array(headers - 1).fill([60, 0, 0, 0, 0, 0, 0, 0]).flat(), ...before, ...udp(53)]),
        }).verdict;
      expect([chain(4), chain(5)]).toEqual([Verdict.ok, Verdict.shot]);
      expect(run(a, host, { protocol: Protocol.udp, payload: new Uint8Array(2) }).verdict).toBe(Verdict.shot);
    });
  });

  function expectTooBig(answer: Uint8Array, original: Uint8Array): void {
    const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
    const [ip, from, to] = family === 'IPv4' ? [20, 12, 16] : [40, 8, 24];
    const size = address(a).length;
    expect(answer.subarray(from, from + size)).toEqual(address(host));
    expect(answer.subarray(to, to + size)).toEqual(address(a));
    expect([answer[ip], answer[ip + 1]]).toEqual(family === 'IPv4' ? [3, 4] : [2, 0]);
    expect(view.getUint32(ip + 4)).toBe(MTU);
    expect(answer.subarray(ip + 8, ip + 8 + ip)).toEqual(original.subarray(14, 14 + ip));
    if (family === 'IPv4') expect([checksum(answer.subarray(0, 20)), checksum(answer.subarray(20))]).toEqual([0, 0]);
    else expect(icmpv6Checksum(answer)).toBe(0);
  }
});

describe('from_pod', () => {
  it('describes a drop in full', () => {
    localPods(0);
    const sent = packet({ source: '10.0.0.1', destination: '10.0.0.2', payload: new Uint8Array(300).fill(9) });
    datapath.run('from_pod', sent, { ifindex: IFINDEX });
    const event = onlyEvent();
    expect(event).toMatchObject({
      version: EventConstant.version,
      type: EventType.drop,
      subtype: DropReason.endpointNotReady,
      endpoint: 11,
      direction: Direction.egress,
      flags: 0,
      sourceIdentity: 1001,
      destinationIdentity: 1002,
      ifindex: IFINDEX,
      originalLength: sent.length,
      capturedLength: EventConstant.captureMax,
    });
    expect(event.capture).toEqual(sent.subarray(0, EventConstant.captureMax));
    expect(event.timeNs).toBeGreaterThan(0n);
  });

  it('captures short packets as they are', () => {
    const sent = packet({ source: '10.9.9.9', destination: '10.0.0.2', payload: new Uint8Array(8) });
    datapath.run('from_pod', sent, { ifindex: IFINDEX });
    const event = onlyEvent();
    expect(event.capture.subarray(0, event.capturedLength)).toEqual(sent);
  });

  it('drops mapped addresses on the wire, on either side', () => {
    localPods();
    expectDrop(run('::ffff:10.0.0.1', 'fd00::2'), DropReason.invalidPacket);
    expect(run('fd00::1', '::ffff:10.0.0.2').verdict).toBe(Verdict.shot);
  });

  it('drops headers that lie', () => {
    localPods();
    const short = packet({ source: '10.0.0.1', destination: '10.0.0.2' });
    short[14] = 0x44;
    expectDrop(datapath.run('from_pod', short, { ifindex: IFINDEX }), DropReason.invalidPacket);
    const wrong = packet({ source: 'fd00::1', destination: 'fd00::2' });
    wrong[14] = 0x40;
    expect(datapath.run('from_pod', wrong, { ifindex: IFINDEX }).verdict).toBe(Verdict.shot);
  });

  it('passes ARP and drops other protocols', () => {
    expect(datapath.run('from_pod', frame(0x0806), { ifindex: IFINDEX }).verdict).toBe(Verdict.ok);
    expectDrop(datapath.run('from_pod', frame(0x88cc), { ifindex: IFINDEX }), DropReason.unknownL3);
  });

  it('passes neighbour discovery and listener reports of a pod that is not ready', () => {
    for (const type of [133, 135, 136]) {
      const payload = Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0);
      expect(run('::', 'ff02::1', { ttl: 255, protocol: Protocol.icmpv6, payload }).verdict).toBe(Verdict.ok);
    }
    expect(run('fe80::1', 'ff02::16', { ttl: 1, protocol: Protocol.hopByHop }).verdict).toBe(Verdict.ok);
    expect(datapath.events()).toEqual([]);
  });

  it('drops router advertisements, redirects, and neighbour discovery from afar', () => {
    const icmp = (type: number, ttl: number) =>
      run('fe80::1', 'ff02::1', { ttl, protocol: Protocol.icmpv6, payload: Uint8Array.of(type, 0, 0, 0, 0, 0, 0, 0) });
    expect(icmp(134, 255).verdict).toBe(Verdict.shot);
    expect(icmp(137, 255).verdict).toBe(Verdict.shot);
    expect(icmp(135, 254).verdict).toBe(Verdict.shot);
  });

  it('knows no way without a tunnel device', () => {
    const bare = new Datapath('pod');
    try {
      bare.endpoint('10.0.0.1', { ifindex: IFINDEX, identity: 1001, flags: EndpointFlag.ready });
      bare.ipcache('10.1.0.0', 16, 2001, 5);
      bare.peer(5, '172.16.0.2', PeerMode.tunnel);
      expect(bare.run('from_pod', packet({ source: '10.0.0.1', destination: '10.1.0.1' }), { ifindex: IFINDEX }).verdict).toBe(
        Verdict.shot,
      );
      expect(bare.events()[0]).toMatchObject({ subtype: DropReason.noDevice });
    } finally {
      bare.close();
    }
  });
});
