import type { PeerMode, PeerRow } from '@isthmus/model';
import type { BgpPeerView } from './bgp-view.ts';

/** The node's BGP in a few numbers. */
export interface BgpSummary {
  /** Sessions that are up. */
  readonly established: number;
  /** Sessions that there are to be: of configured peers, and of those that came from a range. */
  readonly sessions: number;
  /** Peers with whom there can be none as they are configured. */
  readonly refusedPeers: number;
  /** Learned routes that are to be in the kernel. */
  readonly learnedRoutes: number;
  /** Learned routes that are not. */
  readonly refusedRoutes: number;
  readonly draining: boolean;
}

/** What {@link bgpSummary} is made of. */
export interface BgpSummaryInputs {
  readonly peers: readonly BgpPeerView[];
  readonly learnedRoutes: number;
  readonly refusedRoutes: number;
  readonly draining: boolean;
}

/** Counts sessions. */
export function bgpSummary({ peers, ...rest }: BgpSummaryInputs): BgpSummary {
  const refusedPeers = peers.filter(({ state }) => state === 'refused').length;
  return {
    established: peers.filter(({ state }) => state === 'established').length,
    sessions: peers.length - refusedPeers,
    refusedPeers,
    ...rest,
  };
}

/** How many other nodes are reached in each way. @param peers by address: a node may have several */
export function nodesByMode(peers: Iterable<readonly [string, PeerRow]>): Record<PeerMode, number> {
  const nodes = new Map<string, PeerMode>();
  for (const [, { cluster, node, mode }] of peers) nodes.set(`${cluster}/${node}`, mode);
  const counts: Record<PeerMode, number> = { native: 0, tunnel: 0, closed: 0 };
  for (const mode of nodes.values()) counts[mode]++;
  return counts;
}
