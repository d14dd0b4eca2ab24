import { DropReason, ReservedIdentity } from '@isthmus/datapath';
import { mountBpffs } from '../../../bpf/tests/bpffs.ts';
import { startInside } from '../../../bpf/tests/child.ts';
import { Cleanup } from '../../../bpf/tests/cleanup.ts';
import { GENEVE_PORT, genevePacket } from '../../../bpf/tests/geneve-packet.ts';
import { addresses, joinedNetns, TestNode, type TestPod, type TestTunnel, TUNNEL_MTU } from '../../../bpf/tests/node.ts';
import { packet } from '../../../bpf/tests/packet.ts';
import { burst, startEcho } from '../../../bpf/tests/traffic.ts';

const cleanup = new Cleanup();
let one: TestNode;
let two: TestNode;
let near: TestPod;
let far: TestPod;

function joinNodes(here: TestTunnel, there: TestTunnel): void {
  const bpffs = cleanup.add(mountBpffs(), (mount) => mount.remove());
  const [first, second] = joinedNetns(cleanup);
  one = new TestNode(1, first, bpffs.path, cleanup, here);
  two = new TestNode(2, second, bpffs.path, cleanup, there);
  near = one.addPod(1, 1001);
  far = two.addPod(1, 0x12_3456);
}

/** Each node learns what is behind the other's address of one family. */
function tunnelOver(family: 0 | 1): void {
  one.learn(addresses.pod(2, 1), far.identity, 2, addresses.underlay(2)[family]);
  one.learn(addresses.host(2), ReservedIdentity.remoteNode, 2, addresses.underlay(2)[family]);
  two.learn(addresses.pod(1, 1), near.identity, 1, addresses.underlay(1)[family]);
  two.learn(addresses.host(1), ReservedIdentity.remoteNode, 1, addresses.underlay(1)[family]);
}

function expectPing(from: { netns: { exec(command: string): string } }, to: string, options = ''): void {
  expect(from.netns.exec(`ping -n -c 2 -i 0.2 -W 3 ${options}${options ? ' ' : ''}${to}`)).toContain('2 received');
}

/** What a node reports of a packet to a pod that is not ready: whom the tunnel names as the sender. */
function senderSeen(sender: TestPod, receiver: TestPod, at: TestNode, to: string): number | undefined {
  receiver.setReady(false);
  sender.netns.exec(`ping -n -c 1 -W 0.2 ${to}`);
  receiver.setReady(true);
  return at.events().find(({ subtype }) => subtype === DropReason.endpointNotReady)?.sourceIdentity;
}

describe.each<[TestTunnel, TestTunnel]>([
  ['vxlan', 'vxlan'],
  ['geneve-device', 'geneve-device'],
  ['geneve', 'geneve-device'],
])('%s and %s on one wire', (here, there) => {
  beforeAll(() => joinNodes(here, there));
  afterAll(() => cleanup.run());

  describe.each([
    ['IPv4', 0],
    ['IPv6', 1],
  ] as const)('over %s', (_, underlay) => {
    beforeAll(() => tunnelOver(underlay));

    it.each([0, 1] as const)('carry pods and hosts to each other (%#)', (family) => {
      expectPing(near, addresses.pod(2, 1)[family]);
      expectPing(far, addresses.pod(1, 1)[family]);
      expectPing(near, addresses.host(2)[family]);
      expectPing(far, addresses.host(1)[family]);
      expect([...one.events(), ...two.events()]).toEqual([]);
    });

    it.each([0, 1] as const)('carry the largest packet (%#)', (family) => {
      const size = TUNNEL_MTU - (family === 0 ? 28 : 48);
      expectPing(near, addresses.pod(2, 1)[family], `-M do -s ${size}`);
    });

    it.each([0, 1] as const)('name the sender in the VNI, both ways (%#)', (family) => {
      expect(senderSeen(near, far, two, addresses.pod(2, 1)[family])).toBe(near.identity);
      expect(senderSeen(far, near, one, addresses.pod(1, 1)[family])).toBe(far.identity);
    });

    it('carry super-packets of datagrams, both ways', async () => {
      for (const [from, to, targets] of [
        [near, far, addresses.pod(2, 1)],
        [far, near, addresses.pod(1, 1)],
      ] as const) {
        const server = await startEcho(to.netns);
        try {
          const answers = burst(from.netns, targets, { count: 3, timeoutMs: 5000 });
          expect(answers.map(({ answered }) => answered)).toEqual([48, 48]);
        } finally {
          await server.stop();
        }
      }
    });
  });

  /** What the node that is sent a packet with these flags makes of it. */
  async function reasonsFor(flags: number, from: TestNode, to: TestNode): Promise<number[]> {
    const inner = packet({ source: addresses.pod(from.number, 1)[0], destination: addresses.pod(to.number, 1)[0] });
    const [source, destination] = [addresses.underlay(from.number)[0], addresses.underlay(to.number)[0]];
    const options = Uint8Array.of(0x01, 0x4b, 0x81, 1, 0, 0, 0, 7);
    const datagram = genevePacket({ source, destination, vni: 1001, inner, flags, options }).subarray(14 + 20 + 8);
    const script = `const s = require('dgram').createSocket('udp4');
      s.send(Buffer.from('${Buffer.from(datagram).toString('hex')}', 'hex'), ${GENEVE_PORT}, '${destination}', () => console.log('sent'))`;
    const sender = await startInside(from.netns.name, script);
    await sender.stop();
    // What comes behind it has arrived, so it has arrived itself.
    expectPing(near, addresses.pod(2, 1)[0]);
    return to.events().map(({ subtype }) => subtype);
  }

  if (here !== there)
    it.each(['programs', 'a device'])('%s drop what must not be skipped or forwarded, and skip the rest', async (receiver) => {
      const [from, to] = receiver === 'programs' ? [two, one] : [one, two];
      expect(await reasonsFor(0x40, from, to)).toEqual([DropReason.invalidGeneve]);
      expect(await reasonsFor(0x80, from, to)).toEqual([DropReason.invalidGeneve]);
      expect(await reasonsFor(0, from, to)).toEqual([]);
    });
});
