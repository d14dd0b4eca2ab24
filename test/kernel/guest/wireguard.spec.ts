import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import { Direction, DropReason } from '@isthmus/datapath';
import { WIREGUARD_PORTS } from '@isthmus/model';
import { mountBpffs } from '../../../bpf/tests/bpffs.ts';
import { Cleanup } from '../../../bpf/tests/cleanup.ts';
import { addresses, joinedNetns, TestNode, type TestPod } from '../../../bpf/tests/node.ts';
import { burst, type FlowResult, startEcho, startFlow } from '../../../bpf/tests/traffic.ts';
import { deviceOf, type Epoch, type WireGuardDevice } from '../../../libs/crypto/src/wireguard/epoch.ts';
import { wireguardMtu } from '../../../libs/crypto/src/wireguard/wireguard-mtu.ts';
import { Wire, type WirePacket } from './wire.ts';
import { type TestStore, WIREGUARD, WireGuardNode } from './wireguard-node.ts';

// The kernel's own WireGuard under our keys and our programs: no packet is lost whatever changes, and none is too large for the wire.
// Two nodes begin at epoch 1 over IPv6 and go on over IPv4; each test finds them as the one before has left them.

const UNDERLAY_MTU = 1500;
/** What WireGuard adds over IPv6. */
const IPV6_OVERHEAD = 80;
const VXLAN_OVERHEAD = 50;
/** IP and ICMP headers of an echo request, by family. */
const PING_OVERHEAD = [28, 48] as const;
const ROTATION_MS = 60_000;
/** Of each flow, a second: what an emulated processor has time for. */
const PPS = 20;
const FLIPS = 20;
/** What a node sends before its way changes again: a few packets. */
const FLIP_BYTES = 1000;

const cleanup = new Cleanup();
const store: TestStore = { target: 1, records: new Map() };
let bpffs: string;
let one: WireGuardNode;
let two: WireGuardNode;

beforeAll(async () => {
  bpffs = cleanup.add(mountBpffs(), (mount) => mount.remove()).path;
  const mtu = wireguardMtu(UNDERLAY_MTU, 6);
  [one, two] = joinedNetns(cleanup).map((netns, index) => {
    const number = index === 0 ? 1 : 2;
    return new WireGuardNode(number, { netns, pinFolder: join(bpffs, `node${number}`), store, cleanup, family: 6, mtu });
  }) as [WireGuardNode, WireGuardNode];
  for (const { netns } of [one, two]) cleanup.add(await startEcho(netns), (server) => server.stop());
  await goOn(() => isSending(1));
});

afterAll(() => cleanup.run());

/** Looks again and again until something is so. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  const end = systemClock.now() + ROTATION_MS;
  while (!(await isDone())) if (systemClock.now() > end) throw new Error(`it takes too long: ${JSON.stringify([...store.records])}`);
}

/** Both nodes do what there is to do, until something is so. One looks three times while the other looks once: it is ahead, as nodes are of each other. */
const goOn = (isDone: () => boolean): Promise<void> =>
  until(async () => {
    if (!isDone()) for (const node of [one, one, one, two]) await node.step();
    return isDone();
  });

const isSending = (epoch: Epoch): boolean => [one, two].every(({ tx }) => tx === deviceOf(epoch));
/** Nothing is left of any other. */
const isAlone = (epoch: Epoch): boolean =>
  [one, two].every(({ name, keys }) => {
    return readdirSync(keys.path).join() === `epoch-${epoch}.key` && store.records.get(name)?.epochs.length === 1;
  });

const keyOf = ({ name }: WireGuardNode, epoch: Epoch): string | undefined =>
  store.records.get(name)?.epochs.find((each) => each.epoch === epoch)?.publicKey;

async function devicesOf(node: WireGuardNode) {
  return { even: await node.wg.show(WIREGUARD.even), odd: await node.wg.show(WIREGUARD.odd) };
}

/** Keys and peers of an epoch are all that there is. */
async function expectOnly(epoch: Epoch, used: WireGuardDevice, unused: WireGuardDevice): Promise<void> {
  for (const [node, other] of [
    [one, two],
    [two, one],
  ] as const) {
    const devices = await devicesOf(node);
    expect(devices[unused]).toMatchObject({ publicKey: undefined, peers: [] });
    const listenPort = WIREGUARD_PORTS[used];
    expect(devices[used]).toMatchObject({ publicKey: keyOf(node, epoch), listenPort, peers: [{ publicKey: keyOf(other, epoch) }] });
  }
}

/** Nothing is lost while something goes on, of numbered packets that both nodes send each other: IPv4 one way, IPv6 the other, and all answered. */
async function expectNoLossWhile(work: () => Promise<void>): Promise<void> {
  const [ipv4] = WireGuardNode.addresses(2);
  const [, ipv6] = WireGuardNode.addresses(1);
  const flows = [await startFlow(one.netns, ipv4, PPS), await startFlow(two.netns, ipv6, PPS)];
  let results: FlowResult[] = [];
  try {
    await work();
  } finally {
    results = await Promise.all(flows.map((flow) => flow.end()));
  }
  for (const { sent, answered, errors, duplicates } of results) {
    expect({ lost: sent - answered, errors, duplicates }).toEqual({ lost: 0, errors: 0, duplicates: 0 });
    expect(sent).toBeGreaterThan(PPS);
  }
  // What is not encrypted is dropped on its way out, and in.
  expect([...one.egress.events(), ...two.egress.events()]).toEqual([]);
}

interface Pinger {
  readonly netns: { exec(command: string): string };
}

/** @returns what `ping` says, and what was on the wire meanwhile */
function ping(from: Pinger, to: string, options: string): { said: string; packets: WirePacket[] } {
  const wire = new Wire(two.netns.path, two.under);
  try {
    return { said: from.netns.exec(`ping -n ${options} ${to}`), packets: wire.packets() };
  } finally {
    wire.close();
  }
}

/** Two that arrive, and are of that size. */
const twoPings = (family: 0 | 1, size: number): string => `-c 2 -i 0.2 -W 3 -M do -s ${size - PING_OVERHEAD[family]}`;
/** Lengths of all but what nodes say to each other besides. */
const large = (packets: readonly WirePacket[]): number[] => packets.map(({ length }) => length).filter((length) => length > 1000);
const hasFragment = (packets: readonly WirePacket[]): boolean => packets.some(({ fragment }) => fragment);

describe('over IPv6', () => {
  const mtu = wireguardMtu(UNDERLAY_MTU, 6);

  it.each([0, 1] as const)('a packet as large as the WireGuard devices allow goes in one piece (%#)', (family) => {
    const { said, packets } = ping(one, WireGuardNode.addresses(2)[family], twoPings(family, mtu));
    expect(said).toContain('2 received');
    expect(large(packets)).toEqual(Array(4).fill(mtu + IPV6_OVERHEAD));
    expect(hasFragment(packets)).toBe(false);
  });

  it('one of a byte more goes in two, and arrives', () => {
    const { said, packets } = ping(one, WireGuardNode.addresses(2)[0], twoPings(0, mtu + 1));
    expect(said).toContain('2 received');
    expect(hasFragment(packets)).toBe(true);
  });
});

it('nodes go to new keys and another family without a lost packet, and keep nothing of the old ones', async () => {
  await expectOnly(1, 'odd', 'even');
  await expectNoLossWhile(async () => {
    for (const node of [one, two]) node.goOver(4, wireguardMtu(UNDERLAY_MTU, 4));
    store.target = 2;
    await goOn(() => isSending(2) && isAlone(2));
  });
  await expectOnly(2, 'even', 'odd');
});

describe('with keys of two epochs', () => {
  it('nodes send by the new ones without a lost packet', () =>
    expectNoLossWhile(async () => {
      store.target = 3;
      await goOn(() => isSending(3));
    }));

  it.each([
    ['even', 'odd'],
    ['odd', 'even'],
  ] as const)('they send by the device that the map says: %s', async (tx, other) => {
    for (const node of [one, two]) node.sendBy(tx);
    const before = await one.sent();
    for (const [family, ip] of WireGuardNode.addresses(2).entries())
      expect(ping(one, ip, twoPings(family as 0 | 1, 1200)).said).toContain('2 received');
    const after = await one.sent();
    expect(after[tx] - before[tx]).toBeGreaterThan(4 * 1200);
    // It may yet answer what it was sent before, if by no more than a few bytes.
    expect(after[other] - before[other]).toBeLessThan(200);
  });

  it('no packet is lost when it says now this one, now the other', () =>
    expectNoLossWhile(async () => {
      for (let flip = 0; flip < FLIPS; flip++) {
        const node = flip % 2 === 0 ? one : two;
        const tx = node.tx === 'even' ? 'odd' : 'even';
        const before = await node.sent();
        node.sendBy(tx);
        await until(async () => (await node.sent())[tx] - before[tx] >= FLIP_BYTES);
      }
    }));

  it.each([0, 1] as const)('nothing is sent when it says neither (%#)', (family) => {
    const dropped = (): number => one.egress.metric(DropReason.unencryptedTraffic, Direction.egress).packets;
    const ip = WireGuardNode.addresses(2)[family];
    const before = dropped();
    const { tx } = one;
    one.sendBy('closed');
    const { said, packets } = ping(one, ip, '-c 1 -W 0.2 -s 1200');
    one.sendBy(tx);
    expect(said).toContain(' 0 received');
    expect(large(packets)).toEqual([]);
    expect(dropped() - before).toBe(1);
    expect(one.egress.events()).toMatchObject([{ subtype: DropReason.unencryptedTraffic }]);
    expect(ping(one, ip, '-c 1 -W 3').said).toContain('1 received');
  });

  it('they give up the old ones without a lost packet', async () => {
    for (const node of [one, two]) node.sendBy('odd');
    await expectNoLossWhile(() => goOn(() => isAlone(3)));
    await expectOnly(3, 'odd', 'even');
  });
});

describe('pods behind VXLAN', () => {
  const podMtu = wireguardMtu(UNDERLAY_MTU, 4) - VXLAN_OVERHEAD;
  let near: TestPod;
  let far: TestPod;

  beforeAll(() => {
    const nodes = [one, two].map(({ number, netns }) => new TestNode(number, netns, bpffs, cleanup));
    for (const [node, other] of [
      [one, 2],
      [two, 1],
    ] as const) {
      nodes[node.number - 1]!.learn(addresses.pod(other, 1), 1000 + other, other, addresses.underlay(other)[0]);
      node.sendBy('odd');
    }
    [near, far] = nodes.map((node) => node.addPod(1, 1000 + node.number, podMtu)) as [TestPod, TestPod];
  });

  it.each([0, 1] as const)('fill the wire with their largest packet (%#)', (family) => {
    const to = addresses.pod(2, 1)[family];
    const { said, packets } = ping(near, to, twoPings(family, podMtu));
    expect(said).toContain('2 received');
    expect(large(packets)).toEqual(Array(4).fill(UNDERLAY_MTU));
    expect(hasFragment(packets)).toBe(false);
  });

  it('are sent super-packets of datagrams', async () => {
    const server = await startEcho(far.netns);
    try {
      const answers = burst(near.netns, addresses.pod(2, 1), { count: 3, timeoutMs: 5000 });
      expect(answers.map(({ sent, answered }) => [sent, answered])).toEqual(Array(2).fill([48, 48]));
    } finally {
      await server.stop();
    }
  });
});
