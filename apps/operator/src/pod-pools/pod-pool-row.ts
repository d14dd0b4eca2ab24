import type { CiliumPodIPPool } from '@isthmus/model';
import { canonicalCidr, type Family } from '@isthmus/net';

/** Networks of one family that nodes get shares of. */
export interface PodPoolFamily {
  readonly family: Family;
  /** In the order in which they are used, canonical text. */
  readonly networks: readonly string[];
  /** Prefix length of a share. */
  readonly length: number;
}

/** What the operator keeps of a CiliumPodIPPool. */
export interface PodPoolRow {
  readonly families: readonly PodPoolFamily[];
}

/** The row of a pod pool. */
export function podPoolRow({ spec }: CiliumPodIPPool): PodPoolRow {
  const of = (family: Family, part: { cidrs: string[]; maskSize: number } | undefined): PodPoolFamily[] =>
    part ? [{ family, networks: part.cidrs.flatMap((text) => canonicalCidr(text) ?? []), length: part.maskSize }] : [];
  return { families: [...of(4, spec.ipv4), ...of(6, spec.ipv6)] };
}
