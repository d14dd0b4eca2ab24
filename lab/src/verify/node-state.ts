import { parseCidr } from '@isthmus/net';
import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { LabPlan, NodePlace } from '../topology/plan.ts';
import { bpfNames, bpfRows, type TableRow, tableNames, tableRows } from './agent-view.ts';
import { allNodes } from './pairs.ts';

/** One row of what a node holds: of an agent's table, of a BPF map, of the kernel's routes. */
export interface StateRow {
  /** What it says; the same again when it went and came back. */
  readonly text: string;
  /** What tells that it was written again: its revision, and the numbers by which rows of the kernel call each other. */
  readonly stamp: string;
  /** The cluster that it is of; undefined: of none alone. */
  readonly cluster: string | undefined;
  /** It says who serves a service, which may follow from what other clusters offer. */
  readonly service: boolean;
}

/** Everything that a node holds, by text. */
export type NodeState = ReadonlyMap<string, StateRow>;

/** Clusters by name, by number, and by the pod networks that routes lead to. */
type Clusters = LabPlan['clusters'];

const TIMEOUT_MS = 30_000;
/** Tables that say how work goes on, not what is known. */
const PASSING_TABLES = /^(sink\/|adopted-backends$)/;
/** Maps that traffic writes. */
const PASSING_MAPS = new Set(['metrics', 'sock-nat']);
/** Fields that number rows of the kernel. */
const NUMBERS = ['peer', 'backend', 'revnat'];

/** What every node of a lab holds, by node. */
export type NodeStates = ReadonlyMap<string, NodeState>;

/** Reads what every node holds. @throws CheckFailed when an agent does not answer */
export async function readNodeStates(lab: Pick<Lab, 'plan'>): Promise<NodeStates> {
  return new Map(await Promise.all(allNodes(lab).map(async (node) => [node.id, await readNodeState(lab.plan, node)] as const)));
}

/** Reads every table and BPF map of a node's agent and the node's routes. */
async function readNodeState(plan: LabPlan, node: NodePlace): Promise<NodeState> {
  const tables = (await tableNames(node)).filter((name) => !PASSING_TABLES.test(name));
  const maps = (await bpfNames(node)).filter((name) => !PASSING_MAPS.has(name));
  const rows = await Promise.all([
    ...tables.map((table) => tableState(plan.clusters, node, table)),
    ...maps.map((map) => mapState(plan.clusters, node, map)),
    routeState(plan.clusters, node),
  ]);
  return new Map(rows.flat().map((row) => [row.text, row]));
}

/** What a state says of one cluster; nothing of none. */
export function textsOf(state: NodeState | undefined, cluster: string | undefined): string[] {
  return [...(state?.values() ?? [])].filter((row) => cluster !== undefined && row.cluster === cluster).map(({ text }) => text);
}

/** Which rows are compared, and how strictly. */
export interface Comparison {
  /** All rows unless given. */
  of?(row: StateRow): boolean;
  /** They were not even written again with the same content. */
  readonly untouched: boolean;
}

/** How the rows of two states differ, in words. */
export function differences(node: string, before: NodeState, after: NodeState | undefined, { of, untouched }: Comparison): string[] {
  const meant = (state: NodeState | undefined): StateRow[] => [...(state?.values() ?? [])].filter((row) => of?.(row) ?? true);
  const said = meant(before).flatMap(({ text, stamp }) => {
    const now = after?.get(text);
    if (now === undefined) return [`${node} has lost ${text}`];
    return untouched && now.stamp !== stamp ? [`${node} has written again ${text} (${stamp}, now ${now.stamp})`] : [];
  });
  return [...said, ...meant(after).flatMap(({ text }) => (before.has(text) ? [] : [`${node} has got ${text}`]))];
}

/** Waits until every node holds what it held, whatever was written again meanwhile. */
export async function untilAsBefore(lab: Pick<Lab, 'plan'>, before: NodeStates): Promise<void> {
  let wrong: string[] = [];
  await waitUntil(
    async () => {
      const now = await readNodeStates(lab);
      wrong = [...before].flatMap(([node, state]) => differences(node, state, now.get(node), { untouched: false }));
      return wrong.length === 0;
    },
    { what: 'every node to hold what it held', timeoutMs: TIMEOUT_MS, onTimeout: () => wrong.slice(0, 5).join('; ') },
  );
}

type Fields = Readonly<Record<string, unknown>>;

async function tableState(clusters: Clusters, node: NodePlace, table: string): Promise<StateRow[]> {
  const rows = await tableRows<Fields | true>(node, table);
  if (table === 'frontends') return rows.flatMap(({ key, row }) => frontendState(clusters, key, row as Fields));
  if (table === 'translations') return translationState(clusters, node, rows);
  if (table === 'identities' || table === 'remote-identities') return tableRowStates(clusters, table, await usedIdentities(node, rows));
  return tableRowStates(clusters, table, rows);
}

/** Identities that no address has any more are collected by the operator, some time. */
async function usedIdentities<T extends { key: string }>(node: NodePlace, rows: readonly T[]): Promise<T[]> {
  const addresses = await Promise.all(['ips', 'remote-ips'].map((table) => tableRows<{ identity: number }>(node, table)));
  const used = new Set(addresses.flat().map(({ row }) => String(row.identity)));
  return rows.filter(({ key }) => used.has(key));
}

function tableRowStates(clusters: Clusters, table: string, rows: readonly TableRow<Fields | true>[]): StateRow[] {
  return rows.map(({ key, row, revision }) => ({
    text: `${table} ${key} ${JSON.stringify(row)}`,
    stamp: `revision ${revision}`,
    cluster: typeof row === 'object' ? clusterOf(clusters, row) : undefined,
    service: false,
  }));
}

/** A row for the frontend and one for each of its backends: those of several clusters stand in one row of the table. */
function frontendState(clusters: Clusters, key: string, row: Fields): StateRow[] {
  const { backends, backendClusters, idle, ...rest } = row as { backends: string[]; backendClusters: number[]; idle: unknown };
  return [
    { text: `frontends ${key} ${JSON.stringify(rest)}`, stamp: '', cluster: undefined, service: false },
    { text: `frontends ${key} idle ${JSON.stringify(idle)}`, stamp: '', cluster: undefined, service: true },
    ...backends.map((backend, index) => ({
      text: `frontends ${key} -> ${backend}`,
      stamp: '',
      cluster: nameOf(clusters, backendClusters[index]),
      service: true,
    })),
  ];
}

/** Keys are `frontend -> backend`. */
async function translationState(clusters: Clusters, node: NodePlace, rows: readonly { key: string }[]): Promise<StateRow[]> {
  const backends = new Map((await tableRows<{ clusterId: number }>(node, 'backends')).map(({ key, row }) => [key, row.clusterId]));
  return rows.map(({ key }) => ({
    text: `translations ${key}`,
    stamp: '',
    cluster: nameOf(clusters, backends.get(key.split(' -> ')[1] ?? '')),
    service: true,
  }));
}

async function mapState(clusters: Clusters, node: NodePlace, map: string): Promise<StateRow[]> {
  const rows = await bpfRows<Fields>(node, map);
  if (map === 'services') return slotState(clusters, node, rows as unknown as Slot[]);
  return rows.map((row) => {
    const numbers = NUMBERS.filter((name) => name in row);
    const content = Object.fromEntries(Object.entries(row).filter(([name]) => !numbers.includes(name)));
    return {
      text: `bpf ${map} ${JSON.stringify(content)}`,
      stamp: numbers.map((name) => `${name} ${row[name]}`).join(' '),
      cluster: nameOf(clusters, row['cluster'] as number | undefined),
      service: false,
    };
  });
}

interface Slot {
  readonly frontend: string;
  readonly slot: number;
  readonly count: number;
  readonly backend: number;
}

/** Slot 0 is the frontend; which other slot a backend has says nothing. */
async function slotState(clusters: Clusters, node: NodePlace, slots: readonly Slot[]): Promise<StateRow[]> {
  const backends = new Map(
    (await bpfRows<{ backend: number; address: string; cluster: number }>(node, 'backends')).map((row) => [row.backend, row]),
  );
  return slots.map(({ frontend, slot, count, backend }) => {
    const to = backends.get(backend);
    const text = slot === 0 ? `has ${count} backends` : `-> ${to?.address ?? `backend ${backend}, which is not there`}`;
    return {
      text: `bpf services ${frontend} ${text}`,
      stamp: slot === 0 ? '' : `backend ${backend}`,
      cluster: slot === 0 ? undefined : nameOf(clusters, to?.cluster),
      service: true,
    };
  });
}

/** What the kernel lists learned routes under. */
const LEARNED_PROTOCOL = '196';

interface KernelRoute {
  readonly dst: string;
  readonly dev?: string;
  readonly protocol?: string;
}

async function routeState(clusters: Clusters, node: NodePlace): Promise<StateRow[]> {
  const rows: StateRow[] = [];
  for (const family of ['-4', '-6']) {
    const routes = JSON.parse(await runCommand(['ip', '-n', node.netns, '-json', family, 'route'])) as KernelRoute[];
    for (const { dst, dev, protocol } of routes) {
      // What a router said is no other cluster's word.
      if (protocol === LEARNED_PROTOCOL) continue;
      const cidr = parseCidr(dst.includes('/') ? dst : `${dst}/${family === '-4' ? 32 : 128}`);
      const owner = clusters.find(({ topology }) =>
        [topology.pods.ipv4, topology.pods.ipv6].some((pool) => cidr && parseCidr(pool)?.overlaps(cidr)),
      );
      rows.push({ text: `route ${dst} dev ${dev ?? ''}`, stamp: '', cluster: owner?.name, service: false });
    }
  }
  return rows;
}

function clusterOf(clusters: Clusters, row: Fields): string | undefined {
  return typeof row['cluster'] === 'string' ? row['cluster'] : nameOf(clusters, row['clusterId'] as number | undefined);
}

function nameOf(clusters: Clusters, id: number | undefined): string | undefined {
  return clusters.find((cluster) => cluster.id === id)?.name;
}
