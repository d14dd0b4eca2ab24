import { Direction, DropReason, EndpointFlag, ReservedIdentity } from '@isthmus/datapath';
import { Datapath, Verdict } from './datapath.ts';
import { frame, packet } from './packet.ts';

const IFINDEX = 1;
const SENDER = 2001;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 10);
const families = [
  { family: 'IPv4', host: '10.0.0.254', pod: '10.0.0.2', source: '10.1.0.7', nobody: '10.0.0.99' },
  { family: 'IPv6', host: 'fd00::fe', pod: 'fd00::2', source: 'fd01::7', nobody: 'fd00::99' },
] as const;

let datapath: Datapath;

beforeEach(() => {
  datapath = new Datapath('tests/overlay-by-mark');
  for (const { host, pod } of families) {
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: EndpointFlag.ready, mac: MAC });
    datapath.endpoint(host, { identity: ReservedIdentity.host, flags: EndpointFlag.ready | EndpointFlag.host });
  }
});

afterEach(() => datapath.close());

/** The test's program takes the tunnel's identity from the mark. */
const run = (bytes: Uint8Array, identity = SENDER) => datapath.run('from_overlay_by_mark', bytes, { ifindex: IFINDEX, mark: identity });

function expectDrop(result: { verdict: number }, reason: number): void {
  expect(result.verdict).toBe(Verdict.shot);
  expect(datapath.events()).toMatchObject([{ subtype: reason }]);
  expect(datapath.metric(reason, Direction.ingress).packets).toBe(1);
}

describe.each(families)('from the tunnel, $family', ({ host, pod, source, nobody }) => {
  it('delivers to a pod, one hop less', () => {
    const { verdict, packet: got } = run(packet({ source, destination: pod }));
    expect(verdict).toBe(Verdict.redirect);
    expect(got.subarray(0, 6)).toEqual(MAC);
    expect(got.subarray(14)).toEqual(packet({ source, destination: pod, ttl: 63 }).subarray(14));
  });

  it('hands what is for the host to the kernel', () => {
    expect(run(packet({ source, destination: host, ttl: 1 })).verdict).toBe(Verdict.ok);
  });

  it('drops what is for nobody here', () => {
    expectDrop(run(packet({ source, destination: nobody })), DropReason.unroutable);
  });

  it('drops what is for a pod that is not ready, and says from whom', () => {
    datapath.endpoint(pod, { ifindex: 99, identity: 1002, id: 12, flags: 0 });
    run(packet({ source, destination: pod }));
    expect(datapath.events()).toMatchObject([
      { subtype: DropReason.endpointNotReady, sourceIdentity: SENDER, destinationIdentity: 1002, endpoint: 12 },
    ]);
  });

  it('drops a sender that claims to be nobody, or this host', () => {
    expectDrop(run(packet({ source, destination: pod }), ReservedIdentity.unknown), DropReason.invalidIdentity);
    expect(run(packet({ source, destination: pod }), ReservedIdentity.host).verdict).toBe(Verdict.shot);
    expect(run(packet({ source, destination: pod }), ReservedIdentity.remoteNode).verdict).toBe(Verdict.redirect);
  });

  it('drops the last hop', () => {
    expectDrop(run(packet({ source, destination: pod, ttl: 1 })), DropReason.ttlExceeded);
  });
});

describe('from the tunnel', () => {
  it('drops mapped addresses and other protocols', () => {
    expectDrop(run(packet({ source: '::ffff:10.1.0.7', destination: 'fd00::2' })), DropReason.invalidPacket);
    expectDrop(run(frame(0x0806)), DropReason.unknownL3);
  });

  it('drops what did not come through a tunnel', () => {
    const real = new Datapath('overlay');
    try {
      const sent = packet({ source: '10.1.0.7', destination: '10.0.0.2' });
      expect(real.run('from_overlay', sent, { ifindex: IFINDEX }).verdict).toBe(Verdict.shot);
      expect(real.events()).toMatchObject([{ subtype: DropReason.noTunnelKey }]);
    } finally {
      real.close();
    }
  });
});
