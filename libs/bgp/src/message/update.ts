import type { Negotiated } from '../capability/negotiated.ts';
import type { RoutedFamily } from '../family/routed-family.ts';
import { run } from './multiprotocol.ts';
import type { NlriRun, ParsedUpdate, ReachableRun, UpdateFault } from './parsed-update.ts';
import { ATTRIBUTE_LIST_EMPTY, UpdateAttributes } from './update-attributes.ts';
import { UPDATE_ERROR, updateError } from './update-error.ts';

const LENGTH_BYTES = 2;
const NOTHING: readonly never[] = [];
/** One for all: what it has read is copied out before the next message comes. */
const attributes = new UpdateAttributes();

/**
 * Reads the body of an UPDATE, RFC 4271 §4.3, with the errors of RFC 7606. What it answers are views into the message and into a buffer that the
 * next call uses again.
 * @throws BgpError 3/1 when lengths contradict each other or an attribute of RFC 4760 is there twice, 3/10 for prefixes that are none, 3/9 for a
 *   malformed MP_REACH_NLRI or MP_UNREACH_NLRI; the subcode of the fault when routes would have to be withdrawn and there are none
 */
export function parseUpdate(body: Uint8Array, negotiated: Negotiated): ParsedUpdate {
  const attributesAt = LENGTH_BYTES + length(body, 0) + LENGTH_BYTES;
  if (attributesAt > body.length) throw updateError(UPDATE_ERROR.malformedList, 'the withdrawn routes are longer than the message');
  const nlriAt = attributesAt + length(body, attributesAt - LENGTH_BYTES);
  if (nlriAt > body.length) throw updateError(UPDATE_ERROR.malformedList, 'the path attributes are longer than the message');
  const gone = body.subarray(LENGTH_BYTES, attributesAt - LENGTH_BYTES);
  const nlri = body.subarray(nlriAt);
  const block = attributes.read(body.subarray(attributesAt, nlriAt), negotiated, nlri.length > 0);

  const withdrawn: NlriRun[] = gone.length === 0 ? [] : [run(gone, 'ipv4', negotiated)];
  if (attributes.unreach !== undefined && attributes.unreach.bytes.length > 0) withdrawn.push(attributes.unreach);
  const reach: ReachableRun[] = [];
  if (nlri.length > 0) reach.push({ ...run(nlri, 'ipv4', negotiated), nextHop: attributes.nextHop });
  if (attributes.reach !== undefined && attributes.reach.bytes.length > 0) reach.push(attributes.reach);

  const { fault } = attributes;
  if (fault === undefined) {
    const endOfRib = withdrawn.length + reach.length === 0 ? endOfRibOf(body, block) : undefined;
    return { withdrawn, reach, attributes: block, faults: attributes.discards, ...(endOfRib && { endOfRib }) };
  }
  // The prefixes may be hidden by what is malformed, RFC 7606 §5.2.
  if (reach.length === 0) throw updateError(fault.subcode, fault.reason, fault.data);
  const faults: UpdateFault[] = [...attributes.discards, { action: 'treat-as-withdraw', attribute: fault.attribute, reason: fault.reason }];
  return { withdrawn: [...withdrawn, ...reach], reach: NOTHING, attributes: ATTRIBUTE_LIST_EMPTY, faults };
}

/** RFC 4724 §2: for IPv4 an UPDATE of nothing, for others one with an empty MP_UNREACH_NLRI alone. */
function endOfRibOf(body: Uint8Array, block: Uint8Array): RoutedFamily | undefined {
  if (body.length === 2 * LENGTH_BYTES) return 'ipv4';
  return block.length === 0 && attributes.reach === undefined ? attributes.unreach?.family : undefined;
}

function length(body: Uint8Array, at: number): number {
  if (at + LENGTH_BYTES > body.length) throw updateError(UPDATE_ERROR.malformedList, 'the message ends within a length');
  return (body[at]! << 8) | body[at + 1]!;
}
