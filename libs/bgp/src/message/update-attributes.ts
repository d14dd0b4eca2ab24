import { ByteWriter } from '@isthmus/net';
import { readAsPath, writeAsPath } from '../attribute/as-path.codec.ts';
import { mergeAsPath } from '../attribute/as4-merge.ts';
import { type CheckContext, checkValue, type Verdict } from '../attribute/attribute-check.ts';
import { ATTRIBUTE, categoryOf, FLAG } from '../attribute/attribute-type.ts';
import { writeAttribute } from '../attribute/attributes.codec.ts';
import type { Negotiated } from '../capability/negotiated.ts';
import { readReach, readUnreach } from './multiprotocol.ts';
import type { NlriRun, ReachableRun, UpdateFault } from './parsed-update.ts';
import { UPDATE_ERROR, updateError } from './update-error.ts';

/** The block of an UPDATE that announces nothing. */
export const ATTRIBUTE_LIST_EMPTY = new Uint8Array(0);

/** Why routes are withdrawn, and the subcode if there are none. */
export interface WithdrawFault {
  readonly attribute: number;
  readonly subcode: number;
  /** What the NOTIFICATION shows, RFC 4271 §6.3: the attribute, or the type of one that is missing. A view. */
  readonly data: Uint8Array;
  readonly reason: string;
}

type Context = CheckContext & { readonly announces: boolean };

const MAX_BLOCK = 65_535;
const CATEGORY = FLAG.optional | FLAG.transitive;
const SEEN_WORDS = 256 / 32;
/** Subcodes for values that are wrong, by type; with all others it is their length. */
const VALUE_SUBCODES: ReadonlyMap<number, number> = new Map([
  [ATTRIBUTE.origin, UPDATE_ERROR.origin],
  [ATTRIBUTE.asPath, UPDATE_ERROR.asPath],
  [ATTRIBUTE.nextHop, UPDATE_ERROR.nextHop],
]);
const NO_DISCARDS: readonly UpdateFault[] = [];

/** One walk over the path attributes of an UPDATE: what belongs to the routes is copied together, the rest is taken out or judged. */
export class UpdateAttributes {
  readonly #kept = new Uint8Array(2 * MAX_BLOCK);
  readonly #seen = new Uint32Array(SEEN_WORDS);
  #length = 0;
  #as2Path: Uint8Array | undefined;
  #as4Path: Uint8Array | undefined;
  #as4Aggregator: Uint8Array | undefined;
  #aggregator: Uint8Array | undefined;
  #discards: UpdateFault[] | undefined;
  nextHop: Uint8Array = ATTRIBUTE_LIST_EMPTY;
  reach: ReachableRun | undefined;
  unreach: NlriRun | undefined;
  fault: WithdrawFault | undefined;

  /** Attributes that were left out because they were wrong. */
  get discards(): readonly UpdateFault[] {
    return this.#discards ?? NO_DISCARDS;
  }

  /**
   * @param announces there are prefixes in the message's own field, which need a NEXT_HOP
   * @returns the block of {@link ParsedUpdate.attributes}, valid until the next call
   * @throws BgpError
   */
  read(block: Uint8Array, negotiated: Negotiated, announces: boolean): Uint8Array {
    this.#reset();
    this.#walk(block, negotiated, announces);
    if (!negotiated.fourOctetAs) this.#appendWide();
    if (announces || (this.reach?.bytes.length ?? 0) > 0) this.#checkMandatory(announces);
    return this.#kept.subarray(0, this.#length);
  }

  #reset(): void {
    this.#seen.fill(0);
    this.#length = 0;
    this.#as2Path = this.#as4Path = this.#as4Aggregator = this.#aggregator = undefined;
    this.#discards = undefined;
    this.nextHop = ATTRIBUTE_LIST_EMPTY;
    this.reach = this.unreach = this.fault = undefined;
  }

  #walk(block: Uint8Array, negotiated: Negotiated, announces: boolean): void {
    const context = { announces, external: negotiated.external, width: negotiated.fourOctetAs ? 4 : 2 } as const;
    for (let at = 0; at < block.length; ) {
      const flags = block[at]!;
      const long = (flags & FLAG.extendedLength) !== 0;
      const valueAt = at + (long ? 4 : 3);
      const end = valueAt + (long ? (block[at + 2]! << 8) | block[at + 3]! : block[at + 2]!);
      // RFC 7606 §4: the message's own length tells where the prefixes are, so that only these routes suffer. (NaN when it ends in the header.)
      if (!(end <= block.length)) {
        this.#withdraw(block[at + 1] ?? 0, UPDATE_ERROR.malformedList, 'is longer than the list', block.subarray(at));
        return;
      }
      const type = block[at + 1]!;
      if (this.#isSecond(type)) {
        if (type === ATTRIBUTE.mpReach || type === ATTRIBUTE.mpUnreach)
          throw updateError(UPDATE_ERROR.malformedList, `attribute ${type} is there twice`);
        this.#discard(type, 'is there twice'); // §3 g: the first counts
      } else this.#take(block, at, end, block.subarray(valueAt, end), negotiated, context);
      at = end;
    }
  }

  #take(block: Uint8Array, at: number, end: number, value: Uint8Array, negotiated: Negotiated, context: Context): void {
    const [flags, type] = [block[at]!, block[at + 1]!];
    const category = categoryOf(type);
    if (category === undefined) this.#takeUnknown(block, at, end);
    else if ((flags & CATEGORY) !== category) this.#withdraw(type, UPDATE_ERROR.flags, 'has wrong flags', block.subarray(at, end));
    // With wrong flags too: its prefixes are withdrawn with the others.
    if (type === ATTRIBUTE.mpReach) this.reach = readReach(value, negotiated, block.subarray(at, end));
    else if (type === ATTRIBUTE.mpUnreach) this.unreach = readUnreach(value, negotiated, block.subarray(at, end));
    else if ((flags & CATEGORY) === category) this.#judge(block, at, end, value, context);
  }

  #judge(block: Uint8Array, at: number, end: number, value: Uint8Array, context: Context): void {
    const type = block[at + 1]!;
    // Without prefixes of its own it means nothing: RFC 4760 §3.
    if (type === ATTRIBUTE.nextHop && !context.announces) return;
    const verdict: Verdict = checkValue(type, value, context);
    if (verdict === 'keep') this.#keep(block, at, end, value, context.width);
    else if (verdict === 'attribute-discard')
      this.#discard(type, context.external ? 'is malformed, or not for external peers' : 'is malformed');
    else if (verdict === 'treat-as-withdraw')
      this.#withdraw(type, VALUE_SUBCODES.get(type) ?? UPDATE_ERROR.length, 'is malformed', block.subarray(at, end));
  }

  /** RFC 4271 §5 and §9: what is optional and transitive goes on with the Partial bit, what is optional only ends here. */
  #takeUnknown(block: Uint8Array, at: number, end: number): void {
    const [flags, type] = [block[at]!, block[at + 1]!];
    if ((flags & FLAG.optional) === 0) {
      this.#withdraw(type, UPDATE_ERROR.unknownWellKnown, 'is well-known to others only', block.subarray(at, end));
      return;
    }
    if ((flags & FLAG.transitive) === 0) return;
    const start = this.#length;
    this.#copy(block, at, end);
    this.#kept[start] = flags | FLAG.partial;
  }

  #keep(block: Uint8Array, at: number, end: number, value: Uint8Array, width: 2 | 4): void {
    const type = block[at + 1]!;
    if (type === ATTRIBUTE.nextHop) this.nextHop = value;
    else if (width === 4) this.#copy(block, at, end);
    else if (type === ATTRIBUTE.asPath) this.#as2Path = value;
    else if (type === ATTRIBUTE.as4Path) this.#as4Path = value;
    else if (type === ATTRIBUTE.aggregator) this.#aggregator = value;
    else if (type === ATTRIBUTE.as4Aggregator) this.#as4Aggregator = value;
    else this.#copy(block, at, end);
  }

  /** Attributes are some bytes long mostly: a loop is faster than a view for each. */
  #copy(block: Uint8Array, at: number, end: number): void {
    let to = this.#length;
    for (let from = at; from < end; from++) this.#kept[to++] = block[from]!;
    this.#length = to;
  }

  /** Path and aggregator of a peer with two-octet AS numbers, as if it had four: RFC 6793 §4.2.3. */
  #appendWide(): void {
    const writer = new ByteWriter(64);
    const aggregator = this.#aggregator && wideAggregator(this.#aggregator, this.#as4Aggregator);
    if (this.#as2Path) {
      const path = readAsPath(this.#as2Path, 2);
      // An AGGREGATOR of another number than AS_TRANS was written by somebody who knew nothing of AS4_PATH.
      const believed = this.#as4Path && !(this.#as4Aggregator && aggregator?.narrow) ? readAsPath(this.#as4Path, 4) : [];
      const value = writeAsPath(mergeAsPath(path, believed), 4);
      writeAttribute(writer, { flags: FLAG.transitive, type: ATTRIBUTE.asPath, value });
    }
    if (aggregator) writeAttribute(writer, { flags: CATEGORY, type: ATTRIBUTE.aggregator, value: aggregator.value });
    const bytes = writer.done();
    this.#kept.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** RFC 7606 §3 d. LOCAL_PREF from an internal peer is not insisted on: many leave it out, and 100 is what everybody takes it for. */
  #checkMandatory(announces: boolean): void {
    const needed: readonly number[] = [ATTRIBUTE.origin, ATTRIBUTE.asPath, ...(announces ? [ATTRIBUTE.nextHop] : [])];
    const missing = needed.find((type) => !this.#isSeen(type));
    if (missing !== undefined) this.#withdraw(missing, UPDATE_ERROR.missingWellKnown, 'is missing', Uint8Array.of(missing));
  }

  #isSeen(type: number): boolean {
    return (this.#seen[type >>> 5]! & (1 << (type & 31))) !== 0;
  }

  #isSecond(type: number): boolean {
    if (this.#isSeen(type)) return true;
    this.#seen[type >>> 5]! |= 1 << (type & 31);
    return false;
  }

  /** The first fault is the one that is told. */
  #withdraw(attribute: number, subcode: number, reason: string, data: Uint8Array): void {
    this.fault ??= { attribute, subcode, data, reason: `attribute ${attribute} ${reason}` };
  }

  #discard(attribute: number, reason: string): void {
    this.#discards ??= [];
    this.#discards.push({ action: 'attribute-discard', attribute, reason: `attribute ${attribute} ${reason}` });
  }
}

const TRANS = [0x5b, 0xa0] as const;

/** `narrow`: the number is a real one of two octets, no stand-in. */
function wideAggregator(value: Uint8Array, as4: Uint8Array | undefined): { value: Uint8Array; narrow: boolean } {
  const narrow = value[0] !== TRANS[0] || value[1] !== TRANS[1];
  return { value: !narrow && as4 ? as4 : Uint8Array.from([0, 0, ...value]), narrow };
}
