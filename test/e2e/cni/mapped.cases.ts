import { bpfRows, Monitor, type Place, type PodPlace, trafficCommand, waitUntil } from '@isthmus/lab';
import { type CniNode, type CniOutput, netnsOf } from './cni-lab.ts';

const REASON = 'InvalidPacket';
const PORT = 9;

/** IPv6 packets whose source is an IPv4 address in disguise: dropped wherever they come from, with the reason. */
export function mappedCases(node: () => CniNode): void {
  let pods: PodPlace[];
  let addresses: string[];

  beforeAll(async () => {
    pods = await node().makePods('mapped0', 'mapped1');
    const ipv6Of = ({ ips }: CniOutput): string => ips![1]!.address.split('/')[0] as string;
    addresses = [];
    for (const pod of pods) addresses.push(ipv6Of(await node().add(pod)));
  });
  afterAll(() => node().removePods(...pods));

  const inPod = (pod: PodPlace, argv: readonly string[]): Promise<string> =>
    node()
      .run(['nsenter', `--net=${netnsOf(pod)}`, ...argv])
      .then(({ stdout }) => stdout);
  /** Datagrams that reached a pod, and nobody listened. */
  const arrived = async (pod: PodPlace): Promise<number> =>
    Number(/^Udp6NoPorts\s+(\d+)/m.exec(await inPod(pod, ['cat', '/proc/net/snmp6']))?.[1]);
  const dropped = async (): Promise<number> =>
    (await bpfRows<{ reason: string; packets: number }>(node().node, 'metrics'))
      .filter(({ reason }) => reason === REASON)
      .reduce((sum, { packets }) => sum + packets, 0);
  const forge = (from: string, to: string): string[] => trafficCommand(['forge', '--from', from, `UDP/[${to}]:${PORT}`]);

  it('an honest packet of the same kind gets through', async () => {
    const [sender, receiver] = pods as [PodPlace, PodPlace];
    const before = await arrived(receiver);
    expect(JSON.parse(await inPod(sender, forge(addresses[0]!, addresses[1]!)))).toMatchObject({ ok: true });
    await waitUntil(async () => (await arrived(receiver)) === before + 1, { what: 'the packet to arrive', timeoutMs: 5_000 });
  });

  it.each<[string, string, () => Place | undefined, () => string]>([
    ['a pod that names the other pod', '10.1.0.3', () => undefined, () => addresses[1]!],
    ['a pod that names the node', '172.21.1.11', () => undefined, () => addresses[1]!],
    ['the node', '10.1.0.1', () => node().node, () => addresses[1]!],
    ['the network', '10.1.0.2', () => node().lab.plan.router, () => node().node.addresses.ipv6],
  ])('from %s are dropped', async (_, from, place, to) => {
    const [sender, receiver] = pods as [PodPlace, PodPlace];
    const monitor = await Monitor.listen(node().node);
    try {
      const [counted, before] = [await dropped(), await arrived(receiver)];
      const where = place();
      const argv = forge(`::ffff:${from}`, to());
      const said = where ? (await node().lab.exec(where, argv)).stdout : await inPod(sender, argv);
      expect(JSON.parse(said)).toMatchObject({ ok: true });
      const isIt = ({ source, destination }: { source: string; destination: string }): boolean =>
        source.includes(`::ffff:`) && destination.includes(to());
      const drop = await waitUntil(() => monitor.drops().find(isIt), { what: 'the drop to be told', timeoutMs: 5_000 });
      expect(drop.reason).toBe(REASON);
      expect(await dropped()).toBeGreaterThan(counted);
      expect(await arrived(receiver)).toBe(before);
    } finally {
      monitor.end();
    }
  });
}
