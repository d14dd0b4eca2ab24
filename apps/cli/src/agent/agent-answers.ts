import { CodedError } from '@isthmus/core';
import { z } from 'zod';
import { CLI_AGENT_ANSWER } from '../cli.errors.ts';
import type { AgentApi } from './agent-api.ts';

const problem = z.looseObject({ code: z.string(), message: z.string(), action: z.string() });

const remoteCluster = z.looseObject({
  name: z.string(),
  id: z.number(),
  state: z.string(),
  ready: z.boolean(),
  heartbeatAgeSeconds: z.number().optional(),
  problem: problem.optional(),
  kinds: z.record(z.string(), z.looseObject({ synced: z.boolean(), count: z.number() })).default({}),
});

/** Answer to `GET /v1/status`, the part that is printed; the rest is kept for `-o json`. */
export const agentStatusSchema = z.looseObject({
  cluster: z.string(),
  clusterId: z.number(),
  node: z.string(),
  ready: z.boolean(),
  waitingFor: z.string().optional(),
  uptimeSeconds: z.number(),
  podCidrs: z.array(z.string()).default([]),
  tunnel: z.looseObject({ protocol: z.string(), port: z.number(), device: z.string(), xdp: z.record(z.string(), z.string()) }).optional(),
  connections: z
    .record(z.string(), z.looseObject({ connected: z.boolean(), error: z.string().optional(), problem: problem.optional() }))
    .default({}),
  certificates: z
    .array(z.looseObject({ name: z.string(), secondsLeft: z.number(), state: z.string(), problem: problem.optional() }))
    .default([]),
  tables: z.record(z.string(), z.number()).default({}),
  sinks: z
    .looseObject({
      count: z.number(),
      behind: z.array(z.string()),
      failingRows: z.number().optional(),
      failing: z.array(z.looseObject({ sink: z.string(), key: z.string(), error: z.unknown() })),
    })
    .optional(),
  routing: z.looseObject({ mode: z.string(), nodes: z.record(z.string(), z.number()) }).optional(),
  bgp: z
    .looseObject({
      established: z.number(),
      sessions: z.number(),
      refusedPeers: z.number(),
      learnedRoutes: z.number(),
      refusedRoutes: z.number(),
      draining: z.boolean(),
    })
    .optional(),
  remoteClusters: z.array(remoteCluster).default([]),
});
/** See {@link agentStatusSchema}. */
export type AgentStatus = z.output<typeof agentStatusSchema>;

const tableListSchema = z.array(
  z.looseObject({ name: z.string(), rows: z.number(), scopes: z.record(z.string(), z.boolean()).default({}) }),
);
/** Answer to `GET /v1/tables`. */
export type TableList = z.output<typeof tableListSchema>;

const tableRowsSchema = z.array(z.looseObject({ key: z.string(), revision: z.number().optional(), row: z.unknown() }));
const objectsSchema = z.array(z.record(z.string(), z.unknown()));
const namesSchema = z.array(z.string());
const settingsSchema = z.record(z.string(), z.unknown());

/** A row of an agent's table. */
export interface TableRow<T = unknown> {
  readonly key: string;
  readonly revision?: number | undefined;
  readonly row: T;
}

/** The agent's state. */
export async function agentStatus(agent: AgentApi): Promise<AgentStatus> {
  return await ask(agent, '/v1/status', agentStatusSchema);
}

/** Every table of the agent. */
export async function agentTables(agent: AgentApi): Promise<TableList> {
  return await ask(agent, '/v1/tables', tableListSchema);
}

/**
 * The rows of a table; with a key, that row alone. The type of the rows is the agent's: they are shown, never acted upon.
 * @throws CodedError API_NOT_FOUND when there is no such table
 */
export async function tableRows<T>(agent: AgentApi, table: string, key?: string): Promise<readonly TableRow<T>[]> {
  const query = key === undefined ? '' : `?key=${encodeURIComponent(key)}`;
  return (await ask(agent, `/v1/tables/${encodeURIComponent(table)}${query}`, tableRowsSchema)) as TableRow<T>[];
}

/** Names of the datapath's maps. */
export async function mapNames(agent: AgentApi): Promise<readonly string[]> {
  return await ask(agent, '/v1/bpf', namesSchema);
}

/** The rows of a map. @throws CodedError API_NOT_FOUND when there is no such map */
export async function mapRows(agent: AgentApi, map: string): Promise<readonly Record<string, unknown>[]> {
  return await ask(agent, `/v1/bpf/${encodeURIComponent(map)}`, objectsSchema);
}

/** The settings that the agent runs with. */
export async function agentConfig(agent: AgentApi): Promise<Record<string, unknown>> {
  return await ask(agent, '/v1/config', settingsSchema);
}

async function ask<T>(agent: AgentApi, path: string, form: z.ZodType<T>): Promise<T> {
  return checkedAnswer(path, await agent.get(path), form);
}

/** An answer in the form that it must have. @throws CodedError CLI_AGENT_ANSWER */
export function checkedAnswer<T>(path: string, answer: unknown, form: z.ZodType<T>): T {
  const result = form.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CodedError(CLI_AGENT_ANSWER, `${path}: ${issue?.path.join('.')}: ${issue?.message}`, { object: path });
}
