import {
  agentStatus,
  allNodes,
  allPairFlows,
  expectNoLoss,
  flowSet,
  Lab,
  leftovers,
  loadTopology,
  type NodePlace,
  repeatVoid,
  type ScopedFlow,
  type Topology,
  type UpOptions,
  waitUntil,
} from '@isthmus/lab';

/** Every mode, and every repetition that was asked for; otherwise a short form of each. */
export const ALL = process.env['ISTHMUS_TEST_ALL'] === '1';
export const MINUTE_MS = 60_000;
const CONVERGED_TIMEOUT_MS = 60_000;
/** So small that it can be filled in seconds. */
const ETCD_QUOTA_MIB = 16;

/** Two clusters whose etcds are easily filled. */
export const TWO_CLUSTERS: Topology = withSmallEtcds(loadTopology('two-clusters'));

/** A topology whose etcds are easily filled. */
export function withSmallEtcds(topology: Topology): Topology {
  return { ...topology, clusters: topology.clusters.map((cluster) => ({ ...cluster, etcdQuotaMiB: ETCD_QUOTA_MIB })) };
}

/** A lab for the tests of one file: it is there before the first, and all of it is gone after the last. */
export function chaosLab(name: string, topology: Topology = TWO_CLUSTERS, options: Omit<UpOptions, 'name'> = {}): () => Lab {
  let lab: Lab | undefined;
  beforeAll(async () => {
    await Lab.down(name);
    lab = await Lab.up(topology, { name, ...options });
  }, 3 * MINUTE_MS);
  afterAll(async () => {
    await Lab.down(name);
    expect(leftovers(name)).toEqual([]);
  }, MINUTE_MS);
  return () => {
    if (!lab) throw new Error('the lab is not up yet');
    return lab;
  };
}

/** 1000 packets a second over every kind of way; in every mode also a slower flow between every two pods. */
export async function allFlows(lab: Lab): Promise<ScopedFlow[]> {
  return [...(await flowSet(lab)), ...(ALL ? allPairFlows(lab) : [])];
}

/**
 * Sees that nobody loses a packet while `disturb` does its work and until everything has converged after it. `disturb` is done again when this
 * machine was too busy to tell.
 * @param flows all of them unless given
 */
export async function losesNothing(lab: Lab, disturb: () => Promise<void>, flows?: readonly ScopedFlow[]): Promise<void> {
  const phase = async (): Promise<string> =>
    expectNoLoss(lab, flows ?? (await allFlows(lab)), async () => {
      await disturb();
      await converged(lab);
    });
  say(await repeatVoid(phase, (why) => say(`void, once more: ${why}`)));
}

/** Waits until every agent is ready, has nothing left to do, fails at nothing, and is ready for every other cluster. */
export async function converged(lab: Lab): Promise<void> {
  await Promise.all(allNodes(lab).map((node) => agentSettled(lab, node)));
}

async function agentSettled(lab: Lab, node: NodePlace): Promise<void> {
  const others = lab.plan.clusters.length - 1;
  let seen: unknown;
  await waitUntil(
    async () => {
      const status = await agentStatus(node);
      seen = status && { waitingFor: status.waitingFor, sinks: status.sinks, remotes: status.remoteClusters };
      if (!status?.ready || status.sinks.behind.length > 0 || status.sinks.failing.length > 0) return false;
      const remotes = status.remoteClusters;
      return remotes.length >= others && remotes.every((remote) => remote.ready && remote.problem === undefined);
    },
    { what: `the agent of ${node.id} to settle`, timeoutMs: CONVERGED_TIMEOUT_MS, everyMs: 100, onTimeout: () => JSON.stringify(seen) },
  );
}

/** Process ids of everything in the lab, to see later that nobody but the test restarted anything. */
export function processIds(lab: Lab): Record<string, number> {
  return Object.fromEntries(lab.processes.list().map(({ id, pid, alive }) => [id, alive ? pid : 0]));
}

/** Tells whoever looks at the test's output what was seen. */
export function say(text: string): void {
  const test = expect.getState().currentTestName ?? '';
  process.stderr.write(`chaos: ${test}: ${text}\n`);
}
