import { defineError } from '@isthmus/core';

/** A write was refused because somebody else leads now. */
export const OPERATOR_NOT_LEADER = defineError(
  'OPERATOR_NOT_LEADER',
  'This operator does not lead any more; its write was refused.',
  'Nothing: the operator that leads now does the work.',
);

/** No free address for a service. */
export const SERVICE_IP_EXHAUSTED = defineError(
  'SERVICE_IP_EXHAUSTED',
  'No cluster IP is left for a service in the service range.',
  'Delete services that are not needed, make them headless (clusterIP: None), or set a larger service-cidr.',
);

/** Two services have one address. */
export const SERVICE_IP_CONFLICT = defineError(
  'SERVICE_IP_CONFLICT',
  'Two services have the same cluster IP.',
  'Remove clusterIP and clusterIPs from one of the two; it then gets another address.',
);

/** No free address for a load balancer. */
export const LB_IP_EXHAUSTED = defineError(
  'LB_IP_EXHAUSTED',
  'No address is left for a service of type LoadBalancer in the pools that select it.',
  'Delete services that are not needed, or add blocks to a CiliumLoadBalancerIPPool that selects the service.',
);

/** Nowhere to take a load balancer's address from. */
export const LB_NO_POOL = defineError(
  'LB_NO_POOL',
  'No pool has addresses of a family for a service of type LoadBalancer.',
  'Apply a CiliumLoadBalancerIPPool with such addresses that selects the service, is not disabled, and overlaps no older one.',
);

/** An address that a load balancer asks for is not to be had. */
export const LB_IP_OUTSIDE = defineError(
  'LB_IP_OUTSIDE',
  'A service asks for an address that is in no pool that selects it.',
  'Ask for another address, or apply a CiliumLoadBalancerIPPool with this one that selects the service.',
);

/** An address that a load balancer asks for is another one's. */
export const LB_IP_TAKEN = defineError(
  'LB_IP_TAKEN',
  'A service asks for an address that another service has.',
  'Ask for another address, or delete the other service; addresses are not shared between services.',
);

/** A node cannot get a share of a pod pool. */
export const POD_POOL_UNUSABLE = defineError(
  'POD_POOL_UNUSABLE',
  'A node asks for addresses of a CiliumPodIPPool that gives it none.',
  'Apply a CiliumPodIPPool of this name with networks of this family, apart from cluster-pool-ipv4-cidr, cluster-pool-ipv6-cidr and service-cidr-*.',
);

/** No free network for a node in a pod pool. */
export const POD_POOL_EXHAUSTED = defineError(
  'POD_POOL_EXHAUSTED',
  'No network is left for a node in a CiliumPodIPPool.',
  'Add cidrs to the pool; those that nodes have stay theirs.',
);

/** A slice's name is taken. */
export const SLICE_FOREIGN = defineError(
  'SLICE_FOREIGN',
  'An EndpointSlice that the operator wants to write belongs to somebody else.',
  'Rename that EndpointSlice, or remove the selector of the service if its endpoints are written by hand.',
);

/** A node config's name is taken. */
export const BGP_NODE_CONFIG_FOREIGN = defineError(
  'BGP_NODE_CONFIG_FOREIGN',
  'A CiliumBGPNodeConfig that the operator wants to write was not made by it.',
  'Delete that CiliumBGPNodeConfig; what a node does otherwise belongs into a CiliumBGPNodeConfigOverride.',
);

/** A record keeps identities from being collected. */
export const IDENTITY_GC_BLOCKED = defineError(
  'IDENTITY_GC_BLOCKED',
  'An address record names no identity, so that no identity can be told to be unused.',
  'Delete the named key; the agent whose pod it is writes it again.',
);
