import type { BgpError } from '../error/bgp-error.ts';

/** Why a session ended; decides whether its routes stay (RFC 4724, RFC 8538) and how soon it is tried again. */
export type SessionEnd =
  /** The TCP connection broke, or the peer went without a word. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** The peer sent a NOTIFICATION. */
  | { readonly kind: 'told'; readonly code: number; readonly subcode: number; readonly reason: string }
  /** The peer broke the protocol, or a timer ran out: it was sent a NOTIFICATION. */
  | { readonly kind: 'failed'; readonly error: BgpError; readonly reason: string }
  /** This side wanted it: a Cease was sent. */
  | { readonly kind: 'ceased'; readonly subcode: number; readonly reason: string }
  /** This side went without a word, so that the peer keeps the routes. */
  | { readonly kind: 'left'; readonly reason: string };

/** NOTIFICATION codes that the session itself sends, RFC 4271 §4.5, RFC 7313 §5 and RFC 9687 §3. */
export const CODE = { open: 2, holdExpired: 4, machine: 5, cease: 6, refresh: 7, sendHoldExpired: 8 } as const;

/** Subcodes of an OPEN Message Error, RFC 4271 §4.5 and RFC 5492 §5. */
export const OPEN_ERROR = { badPeerAs: 2, badIdentifier: 3, unacceptableHoldTime: 6, unsupportedCapability: 7 } as const;

/** Subcodes of Cease, RFC 4486 §4, RFC 8538 §3.1 and RFC 9384 §3. */
export const CEASE = {
  maxPrefixes: 1,
  shutdown: 2,
  deconfigured: 3,
  reset: 4,
  rejected: 5,
  configurationChange: 6,
  collision: 7,
  outOfResources: 8,
  hardReset: 9,
  bfdDown: 10,
} as const;
