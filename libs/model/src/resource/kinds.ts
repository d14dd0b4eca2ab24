import { CILIUM_BGP_ADVERTISEMENT } from './kinds/bgp-advertisement.ts';
import { CILIUM_BGP_CLUSTER_CONFIG } from './kinds/bgp-cluster-config.ts';
import { CILIUM_BGP_NODE_CONFIG, CILIUM_BGP_NODE_CONFIG_OVERRIDE } from './kinds/bgp-node-config.ts';
import { CILIUM_BGP_PEER_CONFIG } from './kinds/bgp-peer-config.ts';
import { CILIUM_NODE } from './kinds/cilium-node.ts';
import { CILIUM_LOAD_BALANCER_IP_POOL, CILIUM_POD_IP_POOL } from './kinds/ip-pools.ts';
import { NAMESPACE } from './kinds/namespace.ts';
import { POD } from './kinds/pod.ts';
import { SECRET } from './kinds/secret.ts';
import { ENDPOINT_SLICE, SERVICE, SERVICE_EXPORT } from './kinds/service.ts';
import type { ResourceKind } from './resource.ts';

/** Every kind that Isthmus knows. */
export const KINDS: readonly ResourceKind[] = [
  POD,
  SERVICE,
  NAMESPACE,
  SECRET,
  ENDPOINT_SLICE,
  CILIUM_NODE,
  SERVICE_EXPORT,
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_BGP_ADVERTISEMENT,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  CILIUM_LOAD_BALANCER_IP_POOL,
  CILIUM_POD_IP_POOL,
] as readonly unknown[] as readonly ResourceKind[];

/** A kind by plural, kind or alias, in any case; undefined when there is none. */
export function findKind(name: string): ResourceKind | undefined {
  const wanted = name.toLowerCase();
  return KINDS.find((each) => each.plural === wanted || each.kind.toLowerCase() === wanted || each.aliases.includes(wanted));
}
