export { AddressClaims } from './address-claims.ts';
export { AddressSpan, mergeSpans } from './address-span.ts';
export { CidrAllocator, type CidrConflict, conflictError } from './cidr-allocator.ts';
export { CidrPool, type CidrPoolOptions } from './cidr-pool.ts';
export { freeSubnet } from './free-subnet.ts';
export { type CidrUsage, DEFAULT_REUSE_DELAY_MS, IpPool, type IpPoolOptions, type IpPoolSnapshot } from './ip-pool.ts';
export { gatewayOf } from './ip-range.ts';
export {
  IPAM_ADDRESS_COOLING,
  IPAM_ADDRESS_TAKEN,
  IPAM_ADDRESS_UNUSABLE,
  IPAM_CIDR_CONFLICT,
  IPAM_CIDR_IN_USE,
  IPAM_CIDR_INVALID,
  IPAM_CIDR_OVERLAP,
  IPAM_CLUSTER_EXHAUSTED,
  IPAM_POOL_EXHAUSTED,
} from './ipam.errors.ts';
