import { getJson } from '../machine/http-get.ts';
import { agentSocket } from '../node/agent.ts';
import type { NodePlace } from '../topology/plan.ts';
import { CheckFailed } from './check.ts';

/** A row of one of the agent's tables. */
export interface TableRow<T> {
  readonly key: string;
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

async function agentAnswer<T>(node: NodePlace, path: string): Promise<T> {
  const answer = await getJson(agentSocket(node), path);
  if (answer === undefined) throw new CheckFailed(`the agent of ${node.id} does not answer ${path}`);
  return answer as T;
}
