import {
  type ClusterPlan,
  clusterFiles,
  type Lab,
  type NodePlace,
  type NodeStates,
  readNodeStates,
  tableRows,
  untilAsBefore,
  waitUntil,
} from '@isthmus/lab';
import { ipKey } from '@isthmus/mesh';
import { ALL, losesNothing, MINUTE_MS, processIds, say } from '../chaos-lab.ts';
import { apiserverMetrics, residentBytes } from './apiserver-view.ts';
import { FakeRemote, type KeyWrite } from './fake-remote.ts';
import { bulkyService, honestRecords, hostileRecords, podOf, podRecord } from './hostile-records.ts';
import { changes, isOfLab, REMOTE_LIMIT_MIB, type RemoteSaid, saidOf, saysCode, saysReady } from './mesh-lab.ts';

const NAME = 'stranger';
const ID = 9;
const TIMEOUT_MS = 30_000;
const MIB = 1024 * 1024;

/** Configurations that must be refused, and the code for it. East has id 1, west 2; the stranger joined with 9. */
const CONFIGURATIONS: readonly [what: string, patch: { id?: number; maxConnectedClusters?: number } | string, code: string][] = [
  ["east's own id", { id: 1 }, 'MESH_ID_OWN'],
  ["west's id", { id: 2 }, 'MESH_ID_TAKEN'],
  ['id 0', { id: 0 }, 'MESH_CLUSTER_ID_INVALID'],
  ['an id beyond the mesh', { id: 256 }, 'MESH_CLUSTER_ID_INVALID'],
  ['another id than it joined with', { id: 10 }, 'MESH_ID_CHANGED'],
  ['a mesh of another size', { maxConnectedClusters: 511 }, 'MESH_SIZE_MISMATCH'],
  ['garbage', 'garbage', 'MESH_CONFIG_INVALID'],
];

/** In the short form those that depend on other clusters; the others are judged without them. */
const REFUSED = CONFIGURATIONS.filter(([, , code]) => ALL || ['MESH_ID_TAKEN', 'MESH_ID_CHANGED'].includes(code));

/** A peer of east may write whatever it likes into its own etcd: it harms nobody, and east says what is wrong with it. */
export function hostileCases(lab: () => Lab): void {
  const east = (): ClusterPlan => lab().cluster('east');
  const node = (): NodePlace => lab().node('east', 'n1');
  let remote: FakeRemote;
  let before: NodeStates;
  let processes: Record<string, number>;

  beforeAll(async () => {
    before = await readNodeStates(lab());
    processes = processIds(lab());
    remote = await FakeRemote.start(lab(), NAME, ID);
  }, MINUTE_MS);
  afterAll(() => remote?.close());

  /** Nothing of the lab's own clusters was even written again, on any node, and every process is the one that was there. */
  const expectOthersUntouched = async (): Promise<void> => {
    expect(await changes(lab(), before, { of: isOfLab(lab()), untouched: true })).toEqual([]);
    expect(processIds(lab())).toMatchObject(processes);
    for (const name of ['west', 'north']) await saysReady(lab(), east(), name);
  };
  const addresses = async (): Promise<string[]> =>
    (await tableRows<{ cluster: string; ip: string }>(node(), 'remote-ips'))
      .flatMap(({ row }) => (row.cluster === NAME ? [row.ip] : []))
      .sort();
  const untilAddresses = (...wanted: readonly string[]): Promise<true> => {
    const look = async (): Promise<boolean> => (await addresses()).join() === wanted.join();
    return waitUntil(look, {
      what: `the agent to know ${wanted.join(' ') || 'no address'} of ${NAME}`,
      timeoutMs: TIMEOUT_MS,
      everyMs: 100,
    });
  };
  const write = (...writes: readonly KeyWrite[]): Promise<void> => remote.write(...writes);

  it(
    'half a list is not read, and not taken for a whole one',
    async () => {
      await write(remote.config(), ...honestRecords(remote), ...remote.canaries().slice(0, 2));
      await remote.joinTo(east());
      const said = await saysCode(lab(), east(), NAME, 'MESH_CANARY_MISSING');
      expect(said).toMatchObject({ state: 'syncing', ready: false, counts: { endpoints: 0 } });
      expect(await addresses()).toEqual([]);
      await expectOthersUntouched();
    },
    2 * MINUTE_MS,
  );

  it(
    'records of others, of nobody, and what is none: each is dropped and counted for its reason, the good ones arrive, and nobody else feels it',
    async () => {
      const hostile = hostileRecords(remote);
      const expected = countsOf(hostile);
      await losesNothing(lab(), async () => {
        await write(...hostile, ...remote.canaries());
        const said = await saysReady(lab(), east(), NAME);
        expect(droppedOf(said)).toEqual(expected);
        expect(said.counts).toEqual({ nodes: 1, identities: 1, endpoints: 1, services: 1 });
        await untilAddresses(podOf(remote));
        await expectOthersUntouched();
      });
      const said = await saysReady(lab(), east(), NAME);
      const network = said.dropped?.find(({ kind, reason }) => kind === 'nodes' && reason === 'foreign-network');
      // Both clusters, both networks.
      expect(hostile.map(({ key }) => key.split('/').at(-1))).toContain(network?.last);
      expect(said.dropped?.find(({ kind, reason }) => kind === 'services' && reason === 'foreign-network')?.detail).toBe(
        '10.2.0.2: it overlaps 10.2.0.0/16 of west',
      );
      expect(await apiserverMetrics(lab(), east(), 'isthmus_remote_dropped_records_total', { target_cluster: NAME })).toEqual(expected);
    },
    4 * MINUTE_MS,
  );

  it(
    'what turns bad keeps its last good version; what turns good arrives',
    async () => {
      await write({ key: ipKey(podOf(remote)), value: 'garbage' });
      await saidOf(lab(), east(), NAME, 'that one more is not taken', (said) => droppedOf(said)['ips bad-json'] === 2);
      expect(await addresses()).toEqual([podOf(remote)]);
      const second = podOf(remote).replace(/5$/, '7');
      await write(podRecord(remote, podOf(remote)), podRecord(remote, second));
      await untilAddresses(podOf(remote), second);
      await write({ key: ipKey(second) });
      await untilAddresses(podOf(remote));
    },
    2 * MINUTE_MS,
  );

  it(
    'a configuration that cannot be: refused by its code, with everything kept, until it is the right one again',
    async () => {
      for (const [what, patch, code] of REFUSED) {
        const config = typeof patch === 'string' ? { ...remote.config(), value: patch } : remote.config(patch);
        await write(config);
        const said = await saysCode(lab(), east(), NAME, code);
        say(`${what}: ${said.problem?.code}: ${said.problem?.message}`);
        expect(said.state).toBe('failed');
        expect(said.problem?.action).not.toBe('');
      }
      await write({ key: remote.config().key });
      await saysCode(lab(), east(), NAME, 'MESH_CONFIG_MISSING');
      expect(await addresses()).toEqual([podOf(remote)]);
      await write(remote.config());
      await saysReady(lab(), east(), NAME);
      await expectOthersUntouched();
    },
    3 * MINUTE_MS,
  );

  it(
    'more than a cluster may have: the rest is dropped, the good ones go on, the own etcd and memory stay as they are',
    async () => {
      const rss = await residentBytes(lab(), east());
      const bulky = Array.from({ length: 24 }, (_, i) => bulkyService(remote, `bulky-${i}`, 500_000));
      await write(...bulky);
      const said = await saidOf(lab(), east(), NAME, 'that much is not taken', (each) => (droppedOf(each)['services too-much'] ?? 0) >= 16);
      expect(said).toMatchObject({ ready: true });
      await write({ key: ipKey(podOf(remote)) }, ...honestRecords(remote));
      await untilAddresses(podOf(remote));
      const grown = (await residentBytes(lab(), east())) - rss;
      say(`12 MB written, ${REMOTE_LIMIT_MIB} MiB allowed: the apiserver grew by ${(grown / MIB).toFixed(1)} MiB`);
      expect(grown).toBeLessThan(100 * MIB);
      await expectOthersUntouched();
      await write(...bulky.map(({ key }) => ({ key })));
    },
    3 * MINUTE_MS,
  );

  it(
    'an endpoint that nobody answers at, and a CA that is another one: what is known is kept, and the reason told',
    async () => {
      await remote.joinTo(east(), { endpoint: `https://${remote.address}:1` });
      const away = await saidOf(lab(), east(), NAME, 'that nobody answers', ({ problem }) => /ECONNREFUSED/.test(problem?.cause ?? ''));
      expect(away).toMatchObject({ ready: false, problem: { code: 'MESH_REMOTE_DISCONNECTED' } });
      const { ca } = clusterFiles(lab().cluster('west')).pki;
      await remote.joinTo(east(), { caFile: ca.cert });
      const untrusted = await saidOf(lab(), east(), NAME, 'that the certificate is none', ({ problem }) =>
        /certificate/.test(problem?.cause ?? ''),
      );
      expect(untrusted).toMatchObject({ ready: false, problem: { code: 'MESH_REMOTE_DISCONNECTED' } });
      expect(await addresses()).toEqual([podOf(remote)]);
      await remote.joinTo(east());
      await saysReady(lab(), east(), NAME);
      await expectOthersUntouched();
    },
    3 * MINUTE_MS,
  );

  it(
    'when it is disconnected nothing of it is left, and all is as before',
    async () => {
      await remote.leave(east());
      await untilAddresses();
      await untilAsBefore(lab(), before);
      await expectOthersUntouched();
    },
    2 * MINUTE_MS,
  );
}

function countsOf(records: readonly { kind: string; reason: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, reason } of records) counts[`${kind} ${reason}`] = (counts[`${kind} ${reason}`] ?? 0) + 1;
  return counts;
}

function droppedOf({ dropped }: RemoteSaid): Record<string, number> {
  return Object.fromEntries((dropped ?? []).map(({ kind, reason, count }) => [`${kind} ${reason}`, count]));
}
