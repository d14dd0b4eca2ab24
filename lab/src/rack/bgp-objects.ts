import { isthmus } from '../control-plane/isthmus-command.ts';
import { repositoryFile } from '../toolchain.ts';
import { type ClusterPlan, type LabPlan, linksOf, type NodePlace } from '../topology/plan.ts';
import type { RackLink, RackPlan } from '../topology/rack-plan.ts';
import { FAMILIES, type RackFamily } from './rack-session.ts';

/** Files in lab/manifests that clusters in racks get, whichever rack it is. */
const FILES = ['bgp-rack/peering.yaml', 'bgp-rack/service.yaml'];
/** Name of the Secret in {@link SECRETS_NAMESPACE} that the protected session's configuration refers to. */
const SECRET = 'rack-link';
const SECRETS_NAMESPACE = 'kube-system';
const API_VERSION = 'cilium.io/v2';

/** Name of the instance in every node's configuration: one speaks with the ToR, and there is no other. */
export const RACK_INSTANCE = 'rack';
/** Name of the service in lab/manifests/bgp-rack that has an address which the ToRs learn. */
export const RACK_SERVICE = 'web-rack';
/** Communities that lab/manifests/bgp-rack gives to what is announced. */
export const RACK_COMMUNITIES = { pods: '65000:1', service: '65000:2', serviceLarge: '65000:2:1' } as const;

/** A session's name in a node's configuration: `tor-up0-v4`. */
export function peerName(link: RackLink, family: RackFamily): string {
  return `tor-${link.device}-${family === 'ipv4' ? 'v4' : 'v6'}`;
}

/** What is said of each node of a cluster: with whom it speaks BGP, and as whom. */
export function bgpObjects(plan: LabPlan, cluster: ClusterPlan): object[] {
  const { rack } = cluster;
  if (rack === undefined) return [];
  const configs = cluster.nodes.map((node) => clusterConfig(plan, rack, node));
  const { loadBalancers } = cluster.topology;
  const pool = loadBalancers && {
    apiVersion: API_VERSION,
    kind: 'CiliumLoadBalancerIPPool',
    metadata: { name: 'rack' },
    spec: { blocks: [{ cidr: loadBalancers.ipv4 }, { cidr: loadBalancers.ipv6 }] },
  };
  const password = rack.links.find((link) => link.cluster === cluster.name && link.password !== undefined)?.password;
  return [...configs, ...(pool ? [pool] : []), ...(password === undefined ? [] : [secretObject(password)])];
}

/** The Secret that the protected session's configuration refers to. */
export function secretObject(password: string): object {
  const data = { password: Buffer.from(password).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET, namespace: SECRETS_NAMESPACE }, type: 'Opaque', data };
}

/** `isthmus apply` of all of it. @throws CodedError LAB_COMMAND */
export async function applyBgpObjects(plan: LabPlan, cluster: ClusterPlan): Promise<void> {
  const files = FILES.flatMap((file) => ['-f', repositoryFile(`lab/manifests/${file}`)]);
  await applyToCluster(plan, cluster, bgpObjects(plan, cluster), files);
}

/** `isthmus apply` of these objects. */
export async function applyToCluster(
  plan: LabPlan,
  cluster: ClusterPlan,
  objects: readonly object[],
  more: readonly string[] = [],
): Promise<void> {
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await isthmus(plan, cluster.control, ['apply', '--context', cluster.name, '-f', '-', ...more], { input });
}

function clusterConfig(plan: LabPlan, rack: RackPlan, node: NodePlace): object {
  const links = linksOf(plan, node);
  const peers = links.flatMap((link) => FAMILIES.map((family) => peer(rack, link, family)));
  return {
    apiVersion: API_VERSION,
    kind: 'CiliumBGPClusterConfig',
    metadata: { name: `rack-${node.name}` },
    spec: {
      nodeSelector: { matchLabels: { 'kubernetes.io/hostname': node.name } },
      bgpInstances: [{ name: RACK_INSTANCE, localASN: links[0]?.asn, peers }],
    },
  };
}

function peer(rack: RackPlan, link: RackLink, family: RackFamily): object {
  const isProtected = family === 'ipv4' && link.password !== undefined;
  return {
    name: peerName(link, family),
    peerAddress: link.tor[family],
    peerASN: rack.asn,
    peerConfigRef: { name: `rack-${family}${isProtected ? '-protected' : ''}` },
  };
}
