import { ConfigFlag, Direction, DropReason, EndpointFlag, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict, XdpVerdict } from './datapath.ts';
import { GENEVE_PORT, type GeneveSpec, genevePacket } from './geneve-packet.ts';
import { address, checksum, frame, packet } from './packet.ts';

const VNI = 0x0abcde;
const LABEL = Uint8Array.of(0x76, 0x6e, 0x69);
const HOST_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x40);
const LOOPBACK = 1;
const MAX_OPTIONS = 252;
const CE = 3;
const ECT_0 = 2;
const ECT_1 = 1;

const OWN = { 4: '192.168.77.1', 6: 'fd77::1' } as const;
const PEER = { 4: '192.168.77.2', 6: 'fd77::2' } as const;
const outers = [
  { outer: 'IPv4', source: PEER[4], destination: OWN[4], ipLength: 20 },
  { outer: 'IPv6', source: PEER[6], destination: OWN[6], ipLength: 40 },
] as const;
const inners = [
  { inner: 'IPv4', from: '10.1.0.7', pod: '10.0.0.2', host: '10.0.0.254' },
  { inner: 'IPv6', from: 'fd01::7', pod: 'fd00::2', host: 'fd00::fe' },
] as const;

const config = {
  flags: ConfigFlag.geneve,
  tunnelPort: GENEVE_PORT,
  underlayIpv4: address(OWN[4]),
  underlayIpv6: address(OWN[6]),
  hostMac: HOST_MAC,
  hostIfindex: LOOPBACK,
};
const inside = packet({ source: '10.1.0.7', destination: '10.0.0.2', payload: Uint8Array.from({ length: 40 }, (_, index) => index) });

let xdp: Datapath;

beforeEach(() => {
  xdp = new Datapath('geneve', config);
});

afterEach(() => xdp.close());

const run = (bytes: Uint8Array) => xdp.runXdp('decap_geneve', bytes);
const sent = (change: Partial<GeneveSpec> = {}): Uint8Array =>
  genevePacket({ source: PEER[4], destination: OWN[4], vni: VNI, inner: inside, ...change });

/** The inner frame as it must come out: for the device that the outer one was for, from the label. */
function labelled(inner: Uint8Array, vni = VNI): Uint8Array {
  const device = packet({ source: PEER[4], destination: OWN[4] }).subarray(0, 6);
  return Uint8Array.from([...device, ...LABEL, vni >> 16, (vni >> 8) & 0xff, vni & 0xff, ...inner.subarray(12)]);
}

function expectDrop(bytes: Uint8Array, reason: number): void {
  const before = xdp.metric(reason, Direction.ingress).packets;
  expect(run(bytes).verdict).toBe(XdpVerdict.drop);
  expect(xdp.events()).toMatchObject([{ subtype: reason, originalLength: bytes.length }]);
  expect(xdp.metric(reason, Direction.ingress).packets).toBe(before + 1);
}

/** It goes on to the kernel as it came. */
function expectUntouched(bytes: Uint8Array): void {
  expect(run(bytes)).toEqual({ verdict: XdpVerdict.pass, packet: bytes });
  expect(xdp.events()).toEqual([]);
}

describe.each(outers)('XDP, over $outer', ({ source, destination, ipLength }) => {
  it.each(inners)('leaves the frame with $inner, for this device and labelled with the identity', ({ from, pod }) => {
    const inner = packet({ source: from, destination: pod });
    expect(run(sent({ source, destination, inner }))).toEqual({ verdict: XdpVerdict.pass, packet: labelled(inner) });
    expect(xdp.events()).toEqual([]);
  });

  it('skips options, up to all that there may be', () => {
    for (const length of [4, 8, 64, MAX_OPTIONS]) {
      const options = new Uint8Array(length).fill(0xff);
      expect(run(sent({ source, destination, options }))).toEqual({ verdict: XdpVerdict.pass, packet: labelled(inside) });
    }
  });

  it('passes what is not for the tunnel of this node', () => {
    const other = destination.replace(/1$/, '3');
    expectUntouched(sent({ source, destination: other }));
    expectUntouched(sent({ source, destination, port: 6082 }));
    expectUntouched(sent({ source: destination, destination: source, sourcePort: GENEVE_PORT, port: 50_000 }));
    expectUntouched(packet({ source, destination, protocol: 6, payload: sent({ source, destination }).subarray(14 + ipLength) }));
  });

  it('drops a packet that ends in its headers, wherever that is, and passes one that is not known to be for it', () => {
    const whole = sent({ source, destination, options: new Uint8Array(16), inner: inside.subarray(0, 14) });
    for (let length = 14; length < whole.length; length++) {
      const { verdict, packet: got } = run(whole.subarray(0, length));
      if (length < 14 + ipLength + 8) expect([verdict, got]).toEqual([XdpVerdict.pass, whole.subarray(0, length)]);
      else expect([length, verdict]).toEqual([length, XdpVerdict.drop]);
    }
    expect(run(whole).verdict).toBe(XdpVerdict.pass);
    for (const event of xdp.events()) expect(event.subtype).toBe(DropReason.invalidPacket);
  });

  it('drops lengths that lie', () => {
    const cut = (udpLength: number): Uint8Array => sent({ source, destination, udpLength });
    expectDrop(cut(0), DropReason.invalidPacket);
    expectDrop(cut(16 + 13), DropReason.invalidPacket);
    expectDrop(cut(16 + inside.length + 1), DropReason.invalidPacket);
    expectDrop(cut(0xffff), DropReason.invalidPacket);
    expectDrop(sent({ source, destination, optionWords: 63 }), DropReason.invalidPacket);
    expect(run(cut(16 + 14)).verdict).toBe(XdpVerdict.pass);
  });

  it('passes on that the tunnel met congestion (RFC 6040)', () => {
    for (const { from, pod } of inners) {
      const inner = (ecn: number): Uint8Array => packet({ source: from, destination: pod, ecn });
      for (const ecn of [ECT_0, ECT_1, CE])
        expect(run(sent({ source, destination, inner: inner(ecn), ecn: CE })).packet).toEqual(labelled(inner(CE)));
      expect(run(sent({ source, destination, inner: inner(ECT_0), ecn: ECT_0 })).packet).toEqual(labelled(inner(ECT_0)));
      expect(xdp.events()).toEqual([]);
      expect(run(sent({ source, destination, inner: inner(0), ecn: CE })).verdict).toBe(XdpVerdict.drop);
      expect(xdp.events()).toMatchObject([{ subtype: DropReason.invalidPacket, sourceIdentity: VNI, originalLength: inner(0).length }]);
    }
  });
});

describe('XDP', () => {
  it('takes every identity of 24 bits from the VNI', () => {
    for (const vni of [0, 1, 255, 256, 0x01_0000, 0xff_ffff]) expect(run(sent({ vni })).packet).toEqual(labelled(inside, vni));
  });

  it('reads outer IPv4 options and ignores the checksum, the reserved bits and the reserved byte', () => {
    const plain = sent();
    const withOptions = Uint8Array.from([...plain.subarray(0, 14), 0x46, ...plain.subarray(15, 34), 1, 1, 1, 0, ...plain.subarray(34)]);
    expect(run(withOptions).packet).toEqual(labelled(inside));
    const odd = sent({ flags: 0x3f });
    odd[14 + 20 + 6] = 0xab; // UDP checksum
    odd[14 + 20 + 8 + 7] = 0xff; // behind the VNI
    expect(run(odd)).toEqual({ verdict: XdpVerdict.pass, packet: labelled(inside) });
  });

  it('drops versions, duties and contents that it does not know', () => {
    for (const version of [1, 2, 3]) expectDrop(sent({ version }), DropReason.invalidGeneve);
    expectDrop(sent({ flags: 0x40, options: Uint8Array.of(0x01, 0x4b, 0x81, 0) }), DropReason.invalidGeneve);
    expectDrop(sent({ flags: 0x80 }), DropReason.invalidGeneve);
    for (const etherType of [0, 0x0800, 0x86dd, 0x0806]) expectDrop(sent({ etherType }), DropReason.unknownL3);
  });

  it('drops the first fragment of an outer packet, and passes what it cannot know: the others', () => {
    const first = sent();
    first.set([0x20, 0], 14 + 6);
    expectDrop(first, DropReason.fragmentUnsupported);
    const later = sent();
    later.set([0x20, 1], 14 + 6);
    expectUntouched(later);
  });

  it('drops a frame that comes with a label', () => {
    expectDrop(labelled(inside), DropReason.invalidIdentity);
  });

  it('passes other frames, however short', () => {
    expectUntouched(frame(0x0806));
    expectUntouched(packet({ source: PEER[4], destination: OWN[4] }).subarray(0, 14));
    expectUntouched(packet({ source: PEER[6], destination: OWN[6] }).subarray(0, 14 + 39));
  });

  it('has no address, so nothing is for it', () => {
    const none = new Datapath('geneve', { ...config, underlayIpv4: new Uint8Array(4), underlayIpv6: new Uint8Array(16) });
    try {
      for (const destination of ['0.0.0.0', OWN[4]]) {
        const bytes = sent({ destination });
        expect(none.runXdp('decap_geneve', bytes)).toEqual({ verdict: XdpVerdict.pass, packet: bytes });
      }
      const bytes = sent({ source: PEER[6], destination: '::' });
      expect(none.runXdp('decap_geneve', bytes)).toEqual({ verdict: XdpVerdict.pass, packet: bytes });
    } finally {
      none.close();
    }
  });
});

describe('behind XDP', () => {
  let netdev: Datapath;
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 10);

  beforeEach(() => {
    netdev = new Datapath('netdev', config);
    for (const { pod, host } of inners) {
      netdev.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready, mac });
      netdev.endpoint(host, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
    }
  });

  afterEach(() => netdev.close());

  const goOn = (bytes: Uint8Array) => netdev.run('from_netdev', bytes, { ifindex: LOOPBACK });
  const arrive = (inner: Uint8Array, vni = VNI) => goOn(run(sent({ inner, vni })).packet);

  it.each(inners)('a pod gets what is in the tunnel, one hop less ($inner)', ({ from, pod }) => {
    const { verdict, packet: got } = arrive(packet({ source: from, destination: pod }));
    expect(verdict).toBe(Verdict.redirect);
    expect(got.subarray(0, 6)).toEqual(mac);
    expect(got.subarray(14)).toEqual(packet({ source: from, destination: pod, ttl: 63 }).subarray(14));
  });

  it.each(inners)('the host gets it by its own device, whole ($inner)', ({ from, host }) => {
    const { verdict, packet: got } = arrive(packet({ source: from, destination: host, ttl: 1 }));
    expect(verdict).toBe(Verdict.redirect);
    expect(got.subarray(0, 6)).toEqual(HOST_MAC);
    expect(got.subarray(14)).toEqual(packet({ source: from, destination: host, ttl: 1 }).subarray(14));
  });

  it('the sender is whom the VNI names', () => {
    netdev.endpoint('10.0.0.2', { ifindex: 99, identity: 1002, id: 12, flags: 0 });
    arrive(inside);
    expect(netdev.events()).toMatchObject([{ subtype: DropReason.endpointNotReady, sourceIdentity: VNI, destinationIdentity: 1002 }]);
    for (const vni of [ReservedIdentity.unknown, ReservedIdentity.host]) {
      expect(arrive(inside, vni).verdict).toBe(Verdict.shot);
      expect(netdev.events()).toMatchObject([{ subtype: DropReason.invalidIdentity }]);
    }
  });

  it('mapped addresses, and what is for nobody, go no further', () => {
    arrive(packet({ source: '::ffff:10.1.0.7', destination: 'fd00::2' }));
    arrive(packet({ source: '10.1.0.7', destination: '10.0.0.99' }));
    arrive(frame(0x0806));
    expect(netdev.events().map(({ subtype }) => subtype)).toEqual([DropReason.invalidPacket, DropReason.unroutable, DropReason.unknownL3]);
  });

  it('the checksum of a packet that met congestion is right', () => {
    const inner = packet({ source: '10.1.0.7', destination: '10.0.0.2', ecn: ECT_1 });
    const { packet: got } = goOn(run(sent({ inner, ecn: CE })).packet);
    expect(checksum(got.subarray(14, 34))).toBe(0);
  });

  it('a label means nothing to a node whose kernel has the tunnel device', () => {
    const plain = new Datapath('netdev', {});
    try {
      plain.endpoint('10.0.0.2', { ifindex: 99, identity: 1002, id: 12, flags: 0 });
      plain.run('from_netdev', labelled(inside), { ifindex: LOOPBACK });
      expect(plain.events()).toMatchObject([{ sourceIdentity: ReservedIdentity.world }]);
    } finally {
      plain.close();
    }
  });
});
