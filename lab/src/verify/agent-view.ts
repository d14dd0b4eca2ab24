import { getJson } from '../machine/http-get.ts';
import { agentSocket } from '../node/agent.ts';
import type { NodePlace } from '../topology/plan.ts';
import { CheckFailed } from './check.ts';

/** A row of one of the agent's tables. */
export interface TableRow<T> {
  readonly key: string;
  /** The store's revision when it was last written. */
  readonly revision: number;
  readonly row: T;
}

/**
 * Rows of a table of a node's agent; of one key when it is given.
 * @throws CheckFailed when the agent does not answer
 */
export async function tableRows<T>(node: NodePlace, table: string, key?: string): Promise<TableRow<T>[]> {
  return agentAnswer(node, `/v1/tables/${table}${key === undefined ? '' : `?key=${encodeURIComponent(key)}`}`);
}

/** Rows of a BPF map of a node, decoded. @throws CheckFailed when the agent does not answer */
export async function bpfRows<T>(node: NodePlace, map: string): Promise<T[]> {
  return agentAnswer(node, `/v1/bpf/${map}`);
}

/** Names of a node's tables, sinks' status tables included. @throws CheckFailed when the agent does not answer */
export async function tableNames(node: NodePlace): Promise<string[]> {
  return (await agentAnswer<{ name: string }[]>(node, '/v1/tables')).map(({ name }) => name);
}

/** Names of a node's BPF maps. @throws CheckFailed when the agent does not answer */
export function bpfNames(node: NodePlace): Promise<string[]> {
  return agentAnswer(node, '/v1/bpf');
}

/** What an agent says of itself: the part that the lab looks at. */
export interface AgentStatus {
  readonly ready: boolean;
  readonly waitingFor?: string;
  readonly uptimeSeconds: number;
  readonly connections: Readonly<Record<string, { connected: boolean; error?: string; problem?: { code: string; message: string } }>>;
  readonly tables: Readonly<Record<string, number>>;
  readonly sinks: {
    readonly behind: readonly string[];
    readonly failingRows: number;
    readonly failing: readonly { sink: string; key: string; error: string }[];
  };
  readonly remoteClusters: readonly {
    name: string;
    state: string;
    ready: boolean;
    heartbeatAgeSeconds: number;
    problem?: { code: string; message: string };
  }[];
}

/** A node's agent about itself; undefined while it does not answer. */
export async function agentStatus(node: NodePlace): Promise<AgentStatus | undefined> {
  return (await getJson(agentSocket(node), '/v1/status')) as AgentStatus | undefined;
}

async function agentAnswer<T>(node: NodePlace, path: string): Promise<T> {
  const answer = await getJson(agentSocket(node), path);
  if (answer === undefined) throw new CheckFailed(`the agent of ${node.id} does not answer ${path}`);
  return answer as T;
}
