import type { RoutedFamily } from '../family/routed-family.ts';

/** A run of prefixes as they stand in a message: a view into it, checked in length and bounds. */
export interface NlriRun {
  readonly family: RoutedFamily;
  /** `{path id u32 when addPath}{length u8}{prefix bytes}` one after another, RFC 4271 §4.3 and RFC 7911 §3. */
  readonly bytes: Uint8Array;
  /** Whether each prefix has a path identifier before it. */
  readonly addPath: boolean;
}

/** Prefixes that become reachable. */
export interface ReachableRun extends NlriRun {
  /** 4, 16 or 32 bytes (RFC 2545 §3: global, then link-local). */
  readonly nextHop: Uint8Array;
}

/** What was wrong with an UPDATE that does not end the session, RFC 7606 §2. */
export interface UpdateFault {
  readonly action: 'treat-as-withdraw' | 'attribute-discard';
  /** Attribute type that it was about; 0 when it was about the block. */
  readonly attribute: number;
  /** One sentence for logs. */
  readonly reason: string;
}

/**
 * An UPDATE after framing and the checks of RFC 7606, cheap to make: all bytes are views into the message and valid only until the caller
 * returns. What ends the session is thrown instead.
 */
export interface ParsedUpdate {
  /** Prefixes to withdraw; those of a treat-as-withdraw are here as well. */
  readonly withdrawn: readonly NlriRun[];
  /** Empty after a treat-as-withdraw. */
  readonly reach: readonly ReachableRun[];
  /**
   * The path attributes that belong to `reach`, whole TLVs one after another without NEXT_HOP, MP_REACH_NLRI, MP_UNREACH_NLRI and whatever was
   * discarded: AS numbers four octets wide, AS4_PATH and AS4_AGGREGATOR merged in (RFC 6793 §4.2.3). In the order in which they
   * came, what was widened last. A view into a buffer that the next UPDATE
   * is read into.
   */
  readonly attributes: Uint8Array;
  /** Set for End-of-RIB, RFC 4724 §2. */
  readonly endOfRib?: RoutedFamily;
  readonly faults: readonly UpdateFault[];
}
