import { parseCidr } from '@isthmus/net';
import { runCommand } from '../machine/run-command.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';
import { bpfRows, tableRows } from './agent-view.ts';

/** What a node holds, one text per row. */
export interface NodeState {
  /** Rows of the other cluster. */
  readonly foreign: ReadonlySet<string>;
  /** All others, services left out: which backends serve may follow from whether the other cluster is there. */
  readonly own: ReadonlySet<string>;
}

interface Row {
  readonly text: string;
  readonly foreign: boolean;
}

interface WithCluster {
  readonly cluster: number;
}

/** Reads tables, BPF maps and kernel routes of a node, and tells the rows of another cluster from all others. */
export async function readNodeState(node: NodePlace, other: ClusterPlan): Promise<NodeState> {
  const rows = [
    ...(await mapRows(node, 'ipcache', other)),
    ...(await mapRows(node, 'peers', other)),
    ...(await mapRows(node, 'backends', other)),
    ...(await ownMapRows(node, 'endpoints')),
    ...(await ownMapRows(node, 'revnat')),
    ...(await serviceRows(node, other)),
    ...(await remoteTableRows(node, other)),
    ...(await routeRows(node, other)),
  ];
  return {
    foreign: new Set(rows.filter((row) => row.foreign).map((row) => row.text)),
    own: new Set(rows.filter((row) => !row.foreign).map((row) => row.text)),
  };
}

/** How a node's own rows differ between two states, in words. */
export function differences(node: string, before: NodeState, after: NodeState | undefined): string[] {
  const gone = [...before.own].filter((row) => !after?.own.has(row)).map((row) => `${node} has lost ${row}`);
  const added = [...(after?.own ?? [])].filter((row) => !before.own.has(row)).map((row) => `${node} has got ${row}`);
  return [...gone, ...added];
}

/** Numbers that the kernel's rows call each other by differ after a row went and came back; of foreign rows they say nothing. */
async function mapRows(node: NodePlace, map: string, other: ClusterPlan): Promise<Row[]> {
  const rows = await bpfRows<WithCluster & Record<string, unknown>>(node, map);
  return rows.map((row) => {
    const foreign = row.cluster === other.id;
    const { peer: _peer, backend: _backend, ...named } = row;
    return { foreign, text: `${map} ${JSON.stringify(foreign ? named : row)}` };
  });
}

async function ownMapRows(node: NodePlace, map: string): Promise<Row[]> {
  return (await bpfRows<object>(node, map)).map((row) => ({ foreign: false, text: `${map} ${JSON.stringify(row)}` }));
}

/** Slots of the service map that name a backend of the other cluster. */
async function serviceRows(node: NodePlace, other: ClusterPlan): Promise<Row[]> {
  const backends = await bpfRows<WithCluster & { backend: number; address: string }>(node, 'backends');
  const foreign = new Map(backends.filter((row) => row.cluster === other.id).map((row) => [row.backend, row.address]));
  const slots = await bpfRows<{ frontend: string; slot: number; backend: number }>(node, 'services');
  return slots
    .filter(({ slot, backend }) => slot > 0 && foreign.has(backend))
    .map(({ frontend, backend }) => ({ foreign: true, text: `services ${frontend} -> ${foreign.get(backend)}` }));
}

async function remoteTableRows(node: NodePlace, other: ClusterPlan): Promise<Row[]> {
  const tables = ['remote-nodes', 'remote-ips', 'remote-identities', 'remote-service-backends'];
  const rows = await Promise.all(
    tables.map(async (table) =>
      (await tableRows<{ cluster: string }>(node, table)).map(({ key, row }) => ({
        foreign: row.cluster === other.name,
        text: `${table} ${key}`,
      })),
    ),
  );
  return rows.flat();
}

async function routeRows(node: NodePlace, other: ClusterPlan): Promise<Row[]> {
  const pools = [other.topology.pods.ipv4, other.topology.pods.ipv6].flatMap((text) => parseCidr(text) ?? []);
  const rows: Row[] = [];
  for (const family of ['-4', '-6']) {
    const routes = JSON.parse(await runCommand(['ip', '-n', node.netns, '-json', family, 'route'])) as { dst: string; dev?: string }[];
    for (const { dst, dev } of routes) {
      const cidr = parseCidr(dst.includes('/') ? dst : `${dst}/${family === '-4' ? 32 : 128}`);
      rows.push({ foreign: cidr !== undefined && pools.some((pool) => pool.overlaps(cidr)), text: `route ${dst} dev ${dev ?? ''}` });
    }
  }
  return rows;
}
