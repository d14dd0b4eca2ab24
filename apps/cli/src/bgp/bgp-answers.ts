import { z } from 'zod';
import { checkedAnswer } from '../agent/agent-answers.ts';
import type { AgentApi } from '../agent/agent-api.ts';

const familySchema = z.enum(['ipv4', 'ipv6']);
/** A family of routes that BGP exchanges. */
export type BgpFamily = z.output<typeof familySchema>;

const peerSchema = z.looseObject({
  instance: z.string(),
  peer: z.string(),
  localAsn: z.number(),
  peerAsn: z.number(),
  address: z.string(),
  /** `refused` where there can be no session as it is configured. */
  state: z.string(),
  uptimeSeconds: z.number().optional(),
  routes: z.array(z.looseObject({ family: familySchema, received: z.number(), advertised: z.number() })).default([]),
  stale: z.array(z.string()).default([]),
  lastError: z.string().optional(),
});
/** A session of the node, or why there is none. */
export type BgpPeer = z.output<typeof peerSchema>;

const routeSchema = z.looseObject({
  instance: z.string(),
  family: familySchema,
  prefix: z.string(),
  /** Empty for own routes. */
  peer: z.string(),
  best: z.boolean(),
  accepted: z.boolean(),
  stale: z.boolean(),
  /** Absent in answers of older agents. */
  ageSeconds: z.number().optional(),
  attributes: z.record(z.string(), z.unknown()),
});
/** A path of a route. */
export type BgpRoute = z.output<typeof routeSchema>;

const ruleSchema = z.looseObject({
  match: z.record(z.string(), z.unknown()).optional(),
  action: z.string(),
  set: z.record(z.string(), z.unknown()).optional(),
});
const policySchema = z.looseObject({
  instance: z.string(),
  peer: z.string(),
  type: z.enum(['import', 'export']),
  policy: z.looseObject({ rules: z.array(ruleSchema), otherwise: z.string() }),
});
/** What a peer's routes go through, in or out. */
export type BgpPolicy = z.output<typeof policySchema>;

const refusedSchema = z.array(z.looseObject({ prefix: z.string(), reason: z.string() }));
/** Learned routes that are not installed, and why. */
export type BgpRefusedRoute = z.output<typeof refusedSchema>[number];

const drainSchema = z.looseObject({ draining: z.boolean() });

/** Which routes: those that the node announces, those that its peers were told of, those that came in. */
export const BGP_ROUTE_KINDS = ['available', 'advertised', 'received'] as const;
/** One of {@link BGP_ROUTE_KINDS}. */
export type BgpRouteKind = (typeof BGP_ROUTE_KINDS)[number];

/** Which of the routes. */
export interface BgpRouteFilter {
  /** Name or address; absent: all. */
  readonly peer?: string | undefined;
  readonly family?: BgpFamily | undefined;
  /** How many at most. */
  readonly limit: number;
}

/** All sessions of the node, and those that there cannot be. */
export async function bgpPeers(agent: AgentApi): Promise<BgpPeer[]> {
  return checkedAnswer('/v1/bgp/peers', await agent.get('/v1/bgp/peers'), z.array(peerSchema));
}

/** Routes of a kind. */
export async function bgpRoutes(agent: AgentApi, kind: BgpRouteKind, { peer, family, limit }: BgpRouteFilter): Promise<BgpRoute[]> {
  const query = new URLSearchParams({ limit: String(limit), ...(peer !== undefined && { peer }), ...(family && { family }) });
  const path = `/v1/bgp/routes/${kind}?${query}`;
  return checkedAnswer(path, await agent.get(path), z.array(routeSchema));
}

/** Policies of all peers. */
export async function bgpPolicies(agent: AgentApi): Promise<BgpPolicy[]> {
  return checkedAnswer('/v1/bgp/policies', await agent.get('/v1/bgp/policies'), z.array(policySchema));
}

/** Learned routes that are not installed. */
export async function bgpRefusedRoutes(agent: AgentApi): Promise<BgpRefusedRoute[]> {
  return checkedAnswer('/v1/bgp/refused', await agent.get('/v1/bgp/refused'), refusedSchema);
}

/** Whether the node drains. */
export async function bgpDraining(agent: AgentApi): Promise<boolean> {
  return checkedAnswer('/v1/bgp/drain', await agent.get('/v1/bgp/drain'), drainSchema).draining;
}

/** Drains the node, or takes that back. @returns whether it drains now */
export async function setBgpDraining(agent: AgentApi, draining: boolean): Promise<boolean> {
  return checkedAnswer('/v1/bgp/drain', await agent.post('/v1/bgp/drain', { draining }), drainSchema).draining;
}
