import { DropReason, ReservedIdentity } from '@isthmus/datapath';
import { mountBpffs } from './bpffs.ts';
import { Cleanup } from './cleanup.ts';
import { addresses, joinedNetns, TestNode, type TestPod, type TestTunnel, TUNNEL_MTU } from './node.ts';
import { burst, startEcho } from './traffic.ts';

const cleanup = new Cleanup();
const BIG_MTU = 1500;
let one: TestNode;
let two: TestNode;
let a: TestPod;
let b: TestPod;
let far: TestPod;
let careless: TestPod;

function joinNodes(tunnel: TestTunnel): void {
  const bpffs = cleanup.add(mountBpffs(), (mount) => mount.remove());
  const [first, second] = joinedNetns(cleanup);
  one = new TestNode(1, first, bpffs.path, cleanup, tunnel);
  two = new TestNode(2, second, bpffs.path, cleanup, tunnel);
  a = one.addPod(1, 1001);
  b = one.addPod(2, 1002);
  careless = one.addPod(3, 1003, BIG_MTU);
  far = two.addPod(1, 2001);
}

function tunnelOver(family: 0 | 1): void {
  one.learn(addresses.pod(2, 1), far.identity, 2, addresses.underlay(2)[family]);
  one.learn(addresses.host(2), ReservedIdentity.remoteNode, 2, addresses.underlay(2)[family]);
  for (const pod of [1, 2, 3]) two.learn(addresses.pod(1, pod), 1000 + pod, 1, addresses.underlay(1)[family]);
  two.learn(addresses.host(1), ReservedIdentity.remoteNode, 1, addresses.underlay(1)[family]);
}

/** Sends pings and expects all of them back. */
function expectPing(from: { netns: { exec(command: string): string } }, to: string, options = ''): void {
  expect(from.netns.exec(`ping -n -c 3 -i 0.05 -W 1 ${options}${options ? ' ' : ''}${to}`)).toContain('3 received');
}

describe.each<TestTunnel>(['vxlan', 'geneve'])('%s', (tunnel) => {
  beforeAll(() => joinNodes(tunnel));
  afterAll(() => cleanup.run());

  describe.each([
    ['IPv4', 0],
    ['IPv6', 1],
  ] as const)('over an %s underlay', (_, underlay) => {
    beforeAll(() => tunnelOver(underlay));
    afterEach(() => {
      for (const node of [one, two]) expect(node.events()).toEqual([]);
    });

    it.each([0, 1] as const)('carries everybody to everybody (%#)', (family) => {
      expectPing(a, addresses.pod(1, 2)[family]);
      expectPing(a, addresses.pod(2, 1)[family]);
      expectPing(far, addresses.pod(1, 2)[family]);
      expectPing(a, addresses.host(1)[family]);
      expectPing(a, addresses.host(2)[family]);
      expectPing(one, addresses.pod(1, 1)[family]);
      expectPing(one, addresses.pod(2, 1)[family]);
    });

    it('takes one hop on a node and two between nodes', () => {
      expect(a.netns.exec(`ping -n -c 1 ${addresses.pod(1, 2)[0]}`)).toContain('ttl=63');
      expect(a.netns.exec(`ping -n -c 1 ${addresses.pod(2, 1)[0]}`)).toContain('ttl=62');
      expect(a.netns.exec(`ping -n -c 1 ${addresses.pod(2, 1)[1]}`)).toContain('ttl=62');
    });

    it('carries the largest packet that may not be cut', () => {
      expectPing(a, addresses.pod(2, 1)[0], `-M do -s ${TUNNEL_MTU - 28}`);
      expectPing(a, addresses.pod(2, 1)[1], `-M do -s ${TUNNEL_MTU - 48}`);
    });
  });

  describe('the wire', () => {
    beforeAll(() => tunnelOver(0));

    it('carries the sender: its identity is what the other node reports', () => {
      far.setReady(false);
      a.netns.exec(`ping -n -c 1 -W 0.1 ${addresses.pod(2, 1)[0]}`);
      a.netns.exec(`ping -n -c 1 -W 0.1 ${addresses.pod(2, 1)[1]}`);
      one.netns.exec(`ping -n -c 1 -W 0.1 ${addresses.pod(2, 1)[0]}`);
      far.setReady(true);
      const subtype = DropReason.endpointNotReady;
      expect(two.events()).toMatchObject([
        { subtype, sourceIdentity: a.identity, destinationIdentity: far.identity },
        { subtype, sourceIdentity: a.identity, destinationIdentity: far.identity },
        { subtype, sourceIdentity: ReservedIdentity.remoteNode, destinationIdentity: far.identity },
      ]);
    });

    it('cuts what is too large and may be cut', () => {
      expectPing(careless, addresses.pod(2, 1)[0], '-M dont -s 1440');
      expect(one.events()).toEqual([]);
    });

    it('carries super-packets of datagrams: every datagram arrives', async () => {
      const server = await startEcho(far.netns);
      try {
        const answers = burst(a.netns, addresses.pod(2, 1));
        expect(answers.map(({ answered }) => answered)).toEqual(answers.map(({ sent }) => sent));
      } finally {
        await server.stop();
      }
    });

    it('tells a pod whose MTU is too large what fits, and its kernel remembers', () => {
      const v4 = careless.netns.exec(`ping -n -c 1 -W 0.5 -M do -s 1420 ${addresses.pod(2, 1)[0]}`);
      expect(v4).toMatch(new RegExp(`${addresses.host(1)[0]}.*mtu ?= ?${TUNNEL_MTU}`));
      const v6 = careless.netns.exec(`ping -n -c 1 -W 0.5 -M do -s 1420 ${addresses.pod(2, 1)[1]}`);
      expect(v6).toMatch(new RegExp(`Packet too big.*mtu ?= ?${TUNNEL_MTU}`));
      expect(careless.netns.exec(`ip route get ${addresses.pod(2, 1)[0]}`)).toContain(`mtu ${TUNNEL_MTU}`);
      expect(careless.netns.exec(`ip -6 route get ${addresses.pod(2, 1)[1]}`)).toContain(`mtu ${TUNNEL_MTU}`);
      expect(one.events().map((event) => event.subtype)).toEqual([DropReason.fragNeeded, DropReason.fragNeeded]);
    });

    it('lets nobody send under another name', () => {
      b.netns.ip(`addr add ${addresses.pod(1, 1)[0]}/32 dev eth0`);
      expect(b.netns.exec(`ping -n -c 1 -W 0.1 -I ${addresses.pod(1, 1)[0]} ${addresses.pod(2, 1)[0]}`)).toContain('0 received');
      expect(one.events()).toMatchObject([{ subtype: DropReason.invalidSource }]);
    });
  });
});

describe('super-packets through GENEVE', () => {
  afterAll(() => cleanup.run());

  it('arrive because XDP takes it off: behind GRO they are lost, datagrams in one packet each are not', async () => {
    joinNodes('geneve-tc');
    tunnelOver(0);
    expectPing(a, addresses.pod(2, 1)[0]);
    const server = await startEcho(far.netns);
    try {
      const [result] = burst(a.netns, addresses.pod(2, 1).slice(0, 1), { count: 3, timeoutMs: 300 });
      expect(result).toMatchObject({ sent: 48, answered: 0 });
    } finally {
      await server.stop();
    }
  });
});
