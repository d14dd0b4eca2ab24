import { defineError } from '@isthmus/core';

/** Raised when a pool has no address to give. */
export const IPAM_POOL_EXHAUSTED = defineError(
  'IPAM_POOL_EXHAUSTED',
  'No address is free in the pool',
  'Delete pods on this node, or give it another CIDR',
);

/** Raised when an address that was asked for by name belongs to somebody else. */
export const IPAM_ADDRESS_TAKEN = defineError(
  'IPAM_ADDRESS_TAKEN',
  'The address belongs to another owner',
  'Release it there first, or ask for another address',
);

/** Raised when an address that was asked for by name is in none of the pool's CIDRs, or is kept back for the network itself. */
export const IPAM_ADDRESS_UNUSABLE = defineError(
  'IPAM_ADDRESS_UNUSABLE',
  'The address cannot be given to anybody from this pool',
  'Ask for an address inside the CIDRs that the message names',
);

/** Raised when an address that was asked for by name was released only just now by another owner. */
export const IPAM_ADDRESS_COOLING = defineError(
  'IPAM_ADDRESS_COOLING',
  'The address was released by another owner and is kept back for a while, so that no packet for that owner reaches the next one',
  'Try again when the time that the message names is over',
);

/** Raised when a CIDR is to be removed whose addresses are in use. */
export const IPAM_CIDR_IN_USE = defineError(
  'IPAM_CIDR_IN_USE',
  'The CIDR still has addresses in use',
  'Delete the pods that use them, then remove the CIDR',
);

/** Raised when a CIDR overlaps one that is there already. */
export const IPAM_CIDR_OVERLAP = defineError(
  'IPAM_CIDR_OVERLAP',
  'Two CIDRs overlap',
  'Change one of the two, so that every address is in one of them only',
);

/** Raised for text that is no CIDR, or a mask size that does not fit. */
export const IPAM_CIDR_INVALID = defineError(
  'IPAM_CIDR_INVALID',
  'A CIDR or a mask size of the configuration cannot be used',
  'Correct the configuration: cluster-pool-ipv4-cidr, cluster-pool-ipv4-mask-size and their IPv6 counterparts',
);

/** Raised when two nodes claim the same addresses. */
export const IPAM_CIDR_CONFLICT = defineError(
  'IPAM_CIDR_CONFLICT',
  'Two nodes claim overlapping pod CIDRs',
  'Drain one of the two nodes and delete its CiliumNode object: it then gets a CIDR of its own',
);

/** Raised when a cluster has no CIDR left for a node. */
export const IPAM_CLUSTER_EXHAUSTED = defineError(
  'IPAM_CLUSTER_EXHAUSTED',
  'No CIDR is free for another node',
  'Add a CIDR to cluster-pool-ipv4-cidr (or -ipv6-cidr), or delete the CiliumNode objects of nodes that are gone',
);
