import { type AsWidth, isAsPath, isZero } from './as-path.codec.ts';
import { ATTRIBUTE } from './attribute-type.ts';

/** What becomes of an attribute, RFC 7606 §2. `drop` is no fault: it is not for this speaker. */
export type Verdict = 'keep' | 'drop' | 'attribute-discard' | 'treat-as-withdraw';

/** What a check depends on. */
export interface CheckContext {
  readonly external: boolean;
  readonly width: AsWidth;
}

const AGGREGATOR_BYTES = { 2: 6, 4: 8 } as const;
const MAX_ORIGIN = 2;

/** Judges the value of an attribute whose flags are right, RFC 7606 §7. MP_REACH_NLRI and MP_UNREACH_NLRI are not its business. */
export function checkValue(type: number, value: Uint8Array, { external, width }: CheckContext): Verdict {
  switch (type) {
    case ATTRIBUTE.origin: // §7.1
      return withdrawUnless(value.length === 1 && value[0]! <= MAX_ORIGIN);
    case ATTRIBUTE.asPath: // §7.2
      return withdrawUnless(isAsPath(value, width, external));
    case ATTRIBUTE.nextHop: // §7.3
      return withdrawUnless(value.length === 4 && isUnicast(value));
    case ATTRIBUTE.med: // §7.4
      return withdrawUnless(value.length === 4);
    case ATTRIBUTE.localPref: // §7.5
      return external ? 'attribute-discard' : withdrawUnless(value.length === 4);
    case ATTRIBUTE.atomicAggregate: // §7.6
      return discardUnless(value.length === 0);
    case ATTRIBUTE.aggregator: // §7.7
      return discardUnless(isAggregator(value, width));
    case ATTRIBUTE.communities: // §7.8
      return withdrawUnless(isListOf(4, value));
    case ATTRIBUTE.originatorId: // §7.9
      return external ? 'attribute-discard' : withdrawUnless(value.length === 4);
    case ATTRIBUTE.clusterList: // §7.10
      return external ? 'attribute-discard' : withdrawUnless(isListOf(4, value));
    case ATTRIBUTE.extendedCommunities: // §7.14
      return withdrawUnless(isListOf(8, value));
    case ATTRIBUTE.largeCommunities: // RFC 8092 §6
      return withdrawUnless(isListOf(12, value));
    case ATTRIBUTE.as4Path: // RFC 6793 §6
      return width === 4 ? 'drop' : discardUnless(isAsPath(value, 4, false));
    case ATTRIBUTE.as4Aggregator: // RFC 6793 §6
      return width === 4 ? 'drop' : discardUnless(isAggregator(value, 4));
    default:
      return 'keep';
  }
}

function withdrawUnless(good: boolean): Verdict {
  return good ? 'keep' : 'treat-as-withdraw';
}

function discardUnless(good: boolean): Verdict {
  return good ? 'keep' : 'attribute-discard';
}

/** RFC 7607 §2 as well: AS 0 has aggregated nothing. */
function isAggregator(value: Uint8Array, width: AsWidth): boolean {
  return value.length === AGGREGATOR_BYTES[width] && !isZero(value, 0, width);
}

function isListOf(bytes: number, value: Uint8Array): boolean {
  return value.length > 0 && value.length % bytes === 0;
}

/** An IPv4 address that packets can be sent to: not of 0/8, 127/8, and nothing from 224/4 on (RFC 4271 §6.3). */
function isUnicast([first = 0]: Uint8Array): boolean {
  return first !== 0 && first !== 127 && first < 224;
}
