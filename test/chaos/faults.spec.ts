import {
  blackhole,
  compact,
  cut,
  type Fault,
  flowSet,
  judgeTraffic,
  quota,
  restore,
  slow,
  stop,
  takeSnapshot,
  trafficWhile,
  wipe,
  withFault,
} from '@isthmus/lab';
import { chaosLab, converged, losesNothing, MINUTE_MS, say } from './chaos-lab.ts';

// The harness itself: each fault does what it says, hits nobody else, and is gone when it is taken back.

const lab = chaosLab('chaosfaults');
/** Some hundreds of packets of each flow. */
const FAULT_MS = 500;

/** Names of the flows that lost something while this went wrong. */
async function losers(fault: Fault): Promise<string[]> {
  const report = await trafficWhile(lab(), await flowSet(lab()), async () => {
    await withFault(lab(), fault, pause);
  });
  say(judgeTraffic(report).text);
  return report.flows.filter(({ lost }) => lost > 0).map(({ name }) => name);
}

function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, FAULT_MS));
}

/** Between two clusters, and through a service, which may be served by the other one. */
const ACROSS = /^across-clusters|^service/;

describe('a fault of the network', () => {
  it(
    'cuts off one node, and nothing between others',
    async () => {
      const lost = await losers(cut('east/n1'));
      expect(lost).toContain('across-nodes IPv4 east/a1 to east/b1');
      // The node's own pods are a1 and a2; a service may be served by one of them.
      expect(lost.filter((name) => /same-node/.test(name) || !/east\/a[12]|^service/.test(name))).toEqual([]);
    },
    2 * MINUTE_MS,
  );

  it(
    'lets packets between two clusters vanish, and none inside them',
    async () => {
      const lost = await losers(blackhole('east', 'west'));
      expect(lost).toEqual(
        expect.arrayContaining([expect.stringMatching(/^across-clusters IPv4/), expect.stringMatching(/^across-clusters IPv6/)]),
      );
      expect(lost.filter((name) => !ACROSS.test(name))).toEqual([]);
    },
    2 * MINUTE_MS,
  );

  it(
    'makes a cable slow without losing anything',
    () => losesNothing(lab(), () => withFault(lab(), slow('east/n1', 50_000), pause)),
    2 * MINUTE_MS,
  );
});

describe('a fault of an etcd or a process', () => {
  const faults: [string, () => Promise<Fault> | Fault][] = [
    ['cluster etcd stopped', () => stop('east/etcd')],
    ['cluster etcd compacted', () => compact('east/etcd')],
    ['cluster etcd full', () => quota('east/etcd')],
    ['mesh etcd restored', async () => restore('east/mesh-etcd', await takeSnapshot(lab(), 'east/mesh-etcd'))],
    ['mesh etcd wiped', () => wipe('east/mesh-etcd')],
  ];
  it.each(faults)(
    '%s: is over when it is taken back',
    (_, make) => losesNothing(lab(), async () => withFault(lab(), await make(), pause)),
    2 * MINUTE_MS,
  );
});

describe('the sniffer', () => {
  it(
    'reads what goes between nodes today, in the tunnel, and sees nothing of what stays on one',
    async () => {
      const report = await trafficWhile(lab(), await flowSet(lab()), pause, { sniff: true });
      expect(report.sniffer?.lost).toBe(0);
      for (const { name, sent, plaintext } of report.flows) {
        if (name.startsWith('same-node')) expect({ name, plaintext }).toEqual({ name, plaintext: 0 });
        if (name.startsWith('across')) expect({ name, plaintext }).toEqual({ name, plaintext: 2 * sent });
      }
      await converged(lab());
    },
    MINUTE_MS,
  );
});
