import type { Negotiated } from '../capability/negotiated.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import type { ParsedUpdate } from '../message/parsed-update.ts';

/** What the table learns of a peer whose session is up. */
export interface PeerUp {
  readonly negotiated: Negotiated;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly remoteAs: number;
  /** IPv4 text. */
  readonly remoteRouterId: string;
}

/** The route table as a session sees it; peers are numbers that the table gave them. */
export interface SessionTable {
  peerUp(peer: number, up: PeerUp): void;
  receive(peer: number, update: ParsedUpdate): 'ok' | 'max-prefixes-exceeded';
  endOfRib(peer: number, family: RoutedFamily): void;
  peerDown(peer: number, how: 'withdraw' | 'keep-stale'): void;
  /** What the peer has sent of a family is stale until it is sent again. */
  markStale(peer: number, family: RoutedFamily): void;
  /** Stale routes of a family become a last resort, RFC 9494 §4.2; those that ask not to be kept go. */
  keepLongLived(peer: number, family: RoutedFamily): void;
  /** Stale routes of the peer go; of all families when none is given. */
  sweepStale(peer: number, family?: RoutedFamily): void;
  /** Whole messages one after another, about `maxBytes`; undefined when there is nothing to send. */
  nextUpdates(peer: number, maxBytes: number): Uint8Array | undefined;
  /** All that the peer may have is sent again, RFC 2918. */
  refresh(peer: number, family: RoutedFamily): void;
}

/** Reads an UPDATE's body. @throws BgpError for what ends the session */
export type UpdateParser = (body: Uint8Array, negotiated: Negotiated) => ParsedUpdate;
