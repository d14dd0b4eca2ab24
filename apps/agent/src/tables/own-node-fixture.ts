import { type Clock, ManualClock } from '@isthmus/core';
import { type AgentTables, declareAgentTables, type OwnNode } from './agent-tables.ts';

/** A node of a test: n1 of cluster east, with a tunnel. */
export const OWN_NODE: OwnNode = {
  cluster: 'east',
  clusterId: 1,
  node: 'n1',
  podMtu: 1450,
  routingMode: 'tunnel',
  routerId: '192.0.2.1',
  underlay: { ipv4: '192.0.2.1', ipv6: '' },
};

/** Its tables; a derivation that fails fails the test. */
export function ownTables(clock: Clock = new ManualClock()): AgentTables {
  return declareAgentTables(clock, OWN_NODE, ({ error }) => {
    throw error;
  });
}
