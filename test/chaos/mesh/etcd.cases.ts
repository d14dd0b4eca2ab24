import {
  agentId,
  agentStatus,
  allNodes,
  apiserverId,
  blackhole,
  type ClusterPlan,
  callCni,
  compact,
  extraPod,
  flowSet,
  kill,
  type Lab,
  makeExtraPod,
  type NodeStates,
  quota,
  readNodeStates,
  removeExtraPod,
  restore,
  stop,
  type TableRow,
  tableRows,
  takeSnapshot,
  untilAsBefore,
  waitUntil,
  wipe,
  withFault,
} from '@isthmus/lab';
import { ALL, losesNothing, MINUTE_MS, processIds, say } from '../chaos-lab.ts';
import { allSayReady, changes, LEASE_S, ownProblems, saidOf, saysCode } from './mesh-lab.ts';

/** What was asked for, and long enough to be noticed in the short form: a silent etcd is given up after nine seconds. */
const DOWN_MS = ALL ? 20_000 : 4_000;
const FROZEN_MS = ALL ? 60_000 : 11_000;
const CUT_MS = ALL ? 150_000 : 12_000;
const TIMEOUT_MS = 60_000;
const EXTRA = 'extra';

/** Whatever happens to the etcds of east, nobody loses a packet or a row, the others say what they see, and all is well again by itself. */
export function etcdCases(lab: () => Lab): void {
  const east = (): ClusterPlan => lab().cluster('east');
  const north = (): ClusterPlan => lab().cluster('north');
  let before: NodeStates;
  beforeAll(async () => {
    before = await readNodeStates(lab());
  });

  /** No row of any node is another one, and none was even written again. */
  const untouched = async (): Promise<void> => expect(await changes(lab(), before, { untouched: true })).toEqual([]);

  /** While `disturb` does its work and until all is as before, nothing is lost, and nobody but the fault itself restarts anything. */
  const survives = async (restarted: readonly string[], disturb: () => Promise<void>): Promise<void> => {
    await losesNothing(lab(), async () => {
      const processes = processIds(lab());
      await disturb();
      await allSayReady(lab());
      await untilAsBefore(lab(), before);
      const now = processIds(lab());
      for (const id of restarted) expect(now[id]).not.toBe(processes[id]);
      expect(now).toMatchObject(Object.fromEntries(Object.entries(processes).filter(([id]) => !restarted.includes(id))));
    });
  };

  it(
    'its apiserver is down for twice its lease',
    () =>
      survives([apiserverId(east())], async () => {
        const since = performance.now();
        await withFault(lab(), kill(apiserverId(east())), async () => {
          await saysCode(lab(), north(), 'east', 'MESH_CONFIG_MISSING');
          await agentSays('west', 'MESH_CONFIG_MISSING');
          await elapsed(since, 2 * LEASE_S * 1_000);
          await untouched();
        });
      }),
    5 * MINUTE_MS,
  );

  it(
    `its mesh etcd is down for ${DOWN_MS / 1_000} s`,
    () =>
      survives(['east/mesh-etcd'], () =>
        withFault(lab(), kill('east/mesh-etcd'), async () => {
          const since = performance.now();
          await saysCode(lab(), north(), 'east', 'MESH_REMOTE_DISCONNECTED');
          await agentSays('west', 'MESH_REMOTE_DISCONNECTED');
          await elapsed(since, DOWN_MS);
          await untouched();
        }),
      ),
    5 * MINUTE_MS,
  );

  it(
    `its mesh etcd stands still for ${FROZEN_MS / 1_000} s`,
    () =>
      survives([], () =>
        withFault(lab(), stop('east/mesh-etcd'), async () => {
          const since = performance.now();
          await saysCode(lab(), north(), 'east', 'MESH_REMOTE_DISCONNECTED');
          await agentSays('west', 'MESH_REMOTE_DISCONNECTED');
          await elapsed(since, FROZEN_MS);
          await untouched();
        }),
      ),
    5 * MINUTE_MS,
  );

  it(
    'its mesh etcd is wiped',
    () =>
      survives(['east/mesh-etcd'], async () => {
        await wipe('east/mesh-etcd').inject(lab());
      }),
    3 * MINUTE_MS,
  );

  it(
    'its mesh etcd is restored from an older snapshot, from before one of its pods',
    async () => {
      const node = lab().node('east', 'n1');
      const pod = { ...extraPod(lab(), node, EXTRA), labels: node.pods[0]?.labels ?? {} };
      try {
        const snapshot = await takeSnapshot(lab(), 'east/mesh-etcd');
        await makeExtraPod(lab(), pod);
        const ip = addressOf((await callCni(node, pod, 'ADD')).stdout);
        await northKnows(ip, true);
        const row = await rowOf(ip);
        await losesNothing(lab(), async () => {
          await restore('east/mesh-etcd', snapshot).inject(lab());
          await allSayReady(lab());
        });
        // Not even gone for a moment, while the copy said that there is no such pod.
        expect(await rowOf(ip)).toEqual(row);
      } finally {
        await removeExtraPod(lab(), node, pod);
      }
      await untilAsBefore(lab(), before);
    },
    4 * MINUTE_MS,
  );

  it(
    'its mesh etcd is full: its status says so with the name of the limit, until there is room again',
    () =>
      survives([], async () => {
        await withFault(lab(), quota('east/mesh-etcd'), async () => {
          const problem = await waitUntil(async () => (await ownProblems(lab(), east())).find(({ code }) => code === 'KV_QUOTA'), {
            what: 'east to say that its mesh etcd is full',
            timeoutMs: TIMEOUT_MS,
          });
          say(`${problem.code}: ${problem.message}; ${problem.action}`);
          expect(problem.action).toContain('quota-backend-bytes');
          await untouched();
        });
        await waitUntil(async () => (await ownProblems(lab(), east())).length === 0, { what: 'the problem to go', timeoutMs: TIMEOUT_MS });
      }),
    4 * MINUTE_MS,
  );

  it(
    'its cluster etcd is restarted',
    () => survives(['east/etcd'], () => withFault(lab(), kill('east/etcd'), () => untouched())),
    3 * MINUTE_MS,
  );

  it(
    'its cluster etcd is compacted while an agent is away',
    () =>
      survives([agentId(lab().node('east', 'n1'))], () =>
        withFault(lab(), kill(agentId(lab().node('east', 'n1'))), async () => {
          await compact('east/etcd').inject(lab());
        }),
      ),
    3 * MINUTE_MS,
  );

  it(
    'its cluster etcd is full: a pod that comes is refused by the name of the limit, and let in once there is room',
    async () => {
      const node = lab().node('east', 'n1');
      // Of labels that nobody has yet: its identity must be written.
      const pod = extraPod(lab(), node, EXTRA);
      try {
        await makeExtraPod(lab(), pod);
        await losesNothing(lab(), async () => {
          await withFault(lab(), quota('east/etcd'), async () => {
            const refused = await callCni(node, pod, 'ADD');
            say(refused.stdout.trim());
            expect(refused.status).not.toBe(0);
            expect(refused.stdout).toContain('KV_QUOTA');
          });
          const answer = await waitUntil(
            async () => {
              const tried = await callCni(node, pod, 'ADD');
              return tried.status === 0 ? tried : undefined;
            },
            { what: 'the pod to be let in', timeoutMs: TIMEOUT_MS, everyMs: 500 },
          );
          await northKnows(addressOf(answer.stdout), true);
        });
      } finally {
        await removeExtraPod(lab(), node, pod);
      }
      await untilAsBefore(lab(), before);
    },
    4 * MINUTE_MS,
  );

  it(
    `it is out of reach for ${CUT_MS / 1_000} s: its age shows, what happened there meanwhile arrives afterwards, and only what ran through the cut is lost`,
    async () => {
      const node = lab().node('east', 'n1');
      const pod = { ...extraPod(lab(), node, EXTRA), labels: node.pods[0]?.labels ?? {} };
      const apart = (await flowSet(lab())).filter(({ clusters }) => !(clusters.includes('east') && clusters.includes('north')));
      try {
        let ip = '';
        await losesNothing(
          lab(),
          async () => {
            await withFault(lab(), blackhole('east', 'north'), async () => {
              const since = performance.now();
              const said = await saysCode(lab(), north(), 'east', 'MESH_REMOTE_DISCONNECTED');
              const age = said.heartbeatAgeSeconds ?? 0;
              await makeExtraPod(lab(), pod);
              ip = addressOf((await callCni(node, pod, 'ADD')).stdout);
              await elapsed(since, CUT_MS);
              await saidOf(lab(), north(), 'east', 'that it is older', (now) => (now.heartbeatAgeSeconds ?? 0) > age + 2);
              expect(await known(ip)).toBe(false);
              expect((await changes(lab(), before, { untouched: true })).filter((line) => line.startsWith('north'))).toEqual([]);
            });
            await northKnows(ip, true);
            await allSayReady(lab());
          },
          apart,
        );
      } finally {
        await removeExtraPod(lab(), node, pod);
      }
      await untilAsBefore(lab(), before);
    },
    6 * MINUTE_MS,
  );

  const rowOf = async (ip: string): Promise<TableRow<object> | undefined> =>
    (await tableRows<object>(lab().node('north', 'n1'), 'remote-ips')).find(({ key }) => key === `east/${ip}`);

  const known = async (ip: string): Promise<boolean> => (await rowOf(ip)) !== undefined;

  async function northKnows(ip: string, wanted: boolean): Promise<void> {
    await waitUntil(async () => (await known(ip)) === wanted, { what: `north to know ${ip}: ${wanted}`, timeoutMs: TIMEOUT_MS });
  }

  /** Every agent of east says this of a remote cluster: it reads it in its own cluster's mesh etcd. */
  async function agentSays(remote: string, code: string): Promise<void> {
    for (const node of allNodes(lab()).filter(({ cluster }) => cluster === 'east')) {
      const says = async (): Promise<boolean> =>
        (await agentStatus(node))?.remoteClusters.some(({ name, problem }) => name === remote && problem?.code === code) ?? false;
      await waitUntil(says, { what: `the agent of ${node.id} to say ${code} of ${remote}`, timeoutMs: TIMEOUT_MS });
    }
  }
}

function addressOf(cniResult: string): string {
  const { ips } = JSON.parse(cniResult) as { ips?: { address: string }[] };
  return ips?.find(({ address }) => !address.includes(':'))?.address.split('/')[0] ?? '';
}

/** Time is what the test is about: so long the fault must last. */
async function elapsed(since: number, ms: number): Promise<void> {
  await waitUntil(() => performance.now() - since >= ms, { what: `${ms} ms to pass`, timeoutMs: ms + 1_000, everyMs: 50 });
}
