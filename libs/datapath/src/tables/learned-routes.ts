/** A route that peers announced, for the kernel. Key: the CIDR, canonical text. */
export interface LearnedRouteRow {
  /** Address texts, IPv6 for IPv4 destinations too (RFC 8950); they share the traffic. A link-local one needs its device. At least one. */
  readonly nextHops: readonly { readonly address: string; readonly device?: number }[];
}
