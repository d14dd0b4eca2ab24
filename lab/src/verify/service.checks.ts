import type { Lab } from '../lab.ts';
import type { ClusterPlan, Place } from '../topology/plan.ts';
import { type Check, expectThat } from './check.ts';
import { podsOfApp } from './pairs.ts';
import { CLIENT_KINDS, hasServices, serverPods, serversOf } from './service-view.ts';

/** Servers are drawn at random: that all of them are of one of two clusters happens once in two billion runs. */
const QUESTIONS = 32;

/** Who must answer, seen from the client's cluster: one of them at least, and nobody else. */
type Expected = 'own' | 'others' | 'both';

/** Services answer from where they should, whoever asks and however. */
export const serviceChecks: readonly Check[] = [
  serviceCheck('service-affinity-none-both-clusters', 'web', 'both'),
  serviceCheck('service-affinity-local', 'web-local', 'own'),
  serviceCheck('service-affinity-remote', 'web-remote', 'others'),
  serviceCheck('service-not-shared', 'web-unshared', 'own'),
  serviceCheck('service-not-global', 'web-own', 'own'),
];

function serviceCheck(name: string, service: string, expected: Expected): Check {
  return {
    name,
    disruptive: false,
    applies: (lab) => hasServices(lab, expected !== 'own'),
    async run(lab) {
      const served = new Map<string, Set<string>>();
      for (const cluster of lab.plan.clusters)
        for (const client of clientsOf(lab, cluster))
          for (const kind of CLIENT_KINDS) {
            const servers = await serversOf(lab, client, cluster, service, kind, QUESTIONS);
            expectServers(lab, cluster, expected, servers, `${client.id}, ${kind.name}`);
            served.set(cluster.name, new Set([...(served.get(cluster.name) ?? []), ...servers]));
          }
      const summary = [...served].map(([cluster, servers]) => `${cluster}: ${[...servers].sort().join(' ')}`).join('; ');
      return `${CLIENT_KINDS.length} kinds of client; ${summary}`;
    },
  };
}

/** A pod and a program of a host. */
function clientsOf(lab: Lab, cluster: ClusterPlan): Place[] {
  return [...podsOfApp(lab, 'client', cluster.name).slice(0, 1), ...cluster.nodes.slice(0, 1)];
}

function expectServers(lab: Lab, cluster: ClusterPlan, expected: Expected, servers: readonly string[], what: string): void {
  const own = serverPods(lab, cluster, 'own').map((pod) => pod.id);
  const others = serverPods(lab, cluster, 'others').map((pod) => pod.id);
  const allowed = { own, others, both: [...own, ...others] }[expected];
  const seen = servers.join(' ') || 'nobody';
  const foreign = servers.filter((server) => !allowed.includes(server));
  expectThat(foreign.length === 0, `${what}: answered by ${seen}; ${foreign.join(' ')} should not have`);
  if (expected !== 'others')
    expectThat(
      servers.some((server) => own.includes(server)),
      `${what}: nobody of ${cluster.name} answered, only ${seen}`,
    );
  if (expected !== 'own')
    expectThat(
      servers.some((server) => others.includes(server)),
      `${what}: nobody of other clusters answered, only ${seen}`,
    );
}
