import type { Addresses } from '../topology/place.ts';

/** Ethernet, as between ordinary machines. */
export const UNDERLAY_MTU = 1500;

/** Lines of `ip -batch`, or of `tc -batch`, for one namespace. */
export interface Batch {
  readonly netns: string;
  readonly lines: readonly string[];
}

/** Lines that put addresses of both families on a device. */
export function addressLines(
  device: string,
  { ipv4, ipv6 }: Addresses,
  prefix: { readonly ipv4: number; readonly ipv6: number },
): string[] {
  return [`address add ${ipv4}/${prefix.ipv4} dev ${device}`, `address add ${ipv6}/${prefix.ipv6} dev ${device} nodad`];
}
