import { l4Key, type ServiceRow } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { Addresses, ClusterPlan, Place, PodPlace } from '../topology/plan.ts';
import { type AskOptions, ask } from '../traffic/ask.ts';
import { tableRows } from './agent-view.ts';
import { expectThat } from './check.ts';
import { podsOfApp } from './pairs.ts';

/** The file of the services that are asked. */
const MANIFEST = 'services.yaml';
/** Port of every service in lab/manifests/services.yaml, TCP and UDP. */
export const SERVICE_PORT = 80;
const SERVER_APP = 'server';

/** A way for a client to use a service. */
export interface ClientKind {
  readonly name: string;
  readonly protocol: 'TCP' | 'UDP';
  readonly family: 'ipv4' | 'ipv6';
  readonly options: AskOptions;
}

/** Every kind of client whose sockets are translated. */
export const CLIENT_KINDS: readonly ClientKind[] = [
  { name: 'TCP over IPv4', protocol: 'TCP', family: 'ipv4', options: {} },
  { name: 'TCP over IPv6', protocol: 'TCP', family: 'ipv6', options: {} },
  { name: 'TCP over IPv4 by an IPv6 socket', protocol: 'TCP', family: 'ipv4', options: { mapped: true } },
  { name: 'UDP over IPv4', protocol: 'UDP', family: 'ipv4', options: {} },
  { name: 'UDP over IPv6', protocol: 'UDP', family: 'ipv6', options: {} },
  { name: 'UDP over IPv4 by an IPv6 socket', protocol: 'UDP', family: 'ipv4', options: { mapped: true } },
  { name: 'connected UDP over IPv4', protocol: 'UDP', family: 'ipv4', options: { connected: true } },
  { name: 'connected UDP over IPv6', protocol: 'UDP', family: 'ipv6', options: { connected: true } },
];

/** Whether the lab has these services, with servers and clients; in every one of several clusters where that is asked. */
export function hasServices(lab: Lab, acrossClusters: boolean): boolean {
  const { clusters, manifests } = lab.plan;
  const complete = clusters.every(({ name }) => [SERVER_APP, 'client'].every((app) => podsOfApp(lab, app, name).length > 0));
  return manifests.includes(MANIFEST) && complete && (clusters.length > 1 || !acrossClusters);
}

/** The addresses of a service in a cluster. @throws CheckFailed while it has none */
export async function serviceAddresses(cluster: ClusterPlan, service: string): Promise<Addresses> {
  const [node] = cluster.nodes;
  const [found] = node ? await tableRows<ServiceRow>(node, 'services', `default/${service}`) : [];
  const ips = found?.row.clusterIps ?? [];
  const [ipv4, ipv6] = [ips.find((ip) => !ip.includes(':')), ips.find((ip) => ip.includes(':'))];
  expectThat(ipv4 !== undefined && ipv6 !== undefined, `${cluster.name}: service ${service} has the addresses ${ips.join(', ') || 'none'}`);
  return { ipv4, ipv6 };
}

/** The service's address and port for one kind of client. */
export async function serviceTarget(cluster: ClusterPlan, service: string, kind: Pick<ClientKind, 'protocol' | 'family'>): Promise<string> {
  return l4Key(kind.protocol, (await serviceAddresses(cluster, service))[kind.family], SERVICE_PORT);
}

/**
 * Asks a service many times, each time with a new socket, and answers who served: ids of pods, sorted.
 * @throws CheckFailed when an answer is missing, or does not come from the service's address as the client sees it
 */
export async function serversOf(
  lab: Lab,
  from: Place,
  cluster: ClusterPlan,
  service: string,
  kind: ClientKind,
  count: number,
): Promise<string[]> {
  const target = await serviceTarget(cluster, service, kind);
  const answers = await ask(lab, from, [target], { ...kind.options, count });
  const failed = answers.filter(({ ok }) => !ok);
  const what = `${from.id}, ${kind.name}, ${service} (${target})`;
  expectThat(failed.length === 0, `${what}: ${failed.length} of ${answers.length} questions failed: ${failed[0]?.error}`);
  const strange = answers.find((answer) => `${kind.protocol}/${answer.from}` !== target);
  expectThat(strange === undefined, `${what}: the client saw the answer come from ${strange?.from}`);
  return [...new Set(answers.flatMap(({ server }) => server ?? []))].sort();
}

/** Ids of the server pods of a cluster, or of all others. */
export function serverPods(lab: Lab, cluster: ClusterPlan, where: 'own' | 'others'): PodPlace[] {
  return podsOfApp(lab, SERVER_APP).filter((pod) => (pod.cluster === cluster.name) === (where === 'own'));
}
