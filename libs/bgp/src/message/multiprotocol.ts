import type { Negotiated } from '../capability/negotiated.ts';
import { BgpError } from '../error/bgp-error.ts';
import { type RoutedFamily, routedFamily } from '../family/routed-family.ts';
import { isNlri } from './nlri.ts';
import type { NlriRun, ReachableRun } from './parsed-update.ts';
import { UPDATE_ERROR, updateError } from './update-error.ts';

/** AFI, SAFI, length of the next hop, and the reserved octet: RFC 4760 §3. */
const REACH_LEAST = 5;
/** AFI and SAFI: RFC 4760 §4. */
const UNREACH_LEAST = 3;
const NEXT_HOP_AT = 4;

/**
 * The prefixes of an MP_REACH_NLRI, RFC 4760 §3; undefined for a family that was not negotiated, which is not for us.
 * @param whole the attribute with its header, which a NOTIFICATION shows
 * @throws BgpError 3/9 when its frame or next hop is malformed, 3/10 when a prefix is (RFC 7606 §5.3, §7.11)
 */
export function readReach(value: Uint8Array, negotiated: Negotiated, whole: Uint8Array): ReachableRun | undefined {
  if (value.length < REACH_LEAST) throw malformed('MP_REACH_NLRI is too short', whole);
  const family = negotiatedFamily(value, negotiated);
  const nlriAt = NEXT_HOP_AT + value[3]! + 1;
  if (nlriAt > value.length) throw malformed('the next hop of MP_REACH_NLRI is longer than it', whole);
  if (family === undefined) return undefined;
  const nextHop = value.subarray(NEXT_HOP_AT, nlriAt - 1);
  if (!isNextHop(nextHop, family, negotiated)) throw malformed(`a next hop of ${nextHop.length} bytes for ${family}`, whole);
  return { ...run(value.subarray(nlriAt), family, negotiated), nextHop };
}

/** The prefixes of an MP_UNREACH_NLRI, RFC 4760 §4; undefined for a family that was not negotiated. @throws BgpError 3/9, 3/10 */
export function readUnreach(value: Uint8Array, negotiated: Negotiated, whole: Uint8Array): NlriRun | undefined {
  if (value.length < UNREACH_LEAST) throw malformed('MP_UNREACH_NLRI is too short', whole);
  const family = negotiatedFamily(value, negotiated);
  return family && run(value.subarray(UNREACH_LEAST), family, negotiated);
}

/** A run of prefixes after its check. @throws BgpError 3/10 */
export function run(bytes: Uint8Array, family: RoutedFamily, { addPath }: Negotiated): NlriRun {
  const receive = addPath[family].receive;
  if (!isNlri(bytes, family, receive)) throw updateError(UPDATE_ERROR.networkField, `malformed ${family} prefixes`);
  return { family, bytes, addPath: receive };
}

function negotiatedFamily(value: Uint8Array, { families }: Negotiated): RoutedFamily | undefined {
  const family = routedFamily((value[0]! << 8) | value[1]!, value[2]!);
  return family !== undefined && families.includes(family) ? family : undefined;
}

/** RFC 2545 §3 for IPv6; RFC 4760 §3 for IPv4, and RFC 8950 §3 where both sides have it. */
function isNextHop({ length }: Uint8Array, family: RoutedFamily, { extendedNextHop }: Negotiated): boolean {
  const ipv6 = length === 16 || length === 32;
  return family === 'ipv6' ? ipv6 : length === 4 || (extendedNextHop && ipv6);
}

function malformed(reason: string, data: Uint8Array): BgpError {
  return updateError(UPDATE_ERROR.optionalAttribute, reason, data);
}
