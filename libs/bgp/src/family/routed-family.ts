/** The families that the speaker routes: unicast of IPv4 and of IPv6. Others are neither negotiated nor kept. */
export type RoutedFamily = 'ipv4' | 'ipv6';

/** Address family numbers, RFC 4760 §3 and the IANA registry. */
export const AFI = { ipv4: 1, ipv6: 2 } as const;

/** Subsequent address family number of unicast, RFC 4760 §6. */
export const SAFI_UNICAST = 1;

/** The routed family of a pair of numbers; undefined for all that the speaker does not route. */
export function routedFamily(afi: number, safi: number): RoutedFamily | undefined {
  if (safi !== SAFI_UNICAST) return undefined;
  if (afi === AFI.ipv4) return 'ipv4';
  return afi === AFI.ipv6 ? 'ipv6' : undefined;
}
