import { WIREGUARD_PORTS, type WireGuardEpoch, type WireGuardRow } from '@isthmus/model';
import type { DropReason } from './decode-result.ts';
import { intern } from './intern.ts';
import type { OwnRecordContext } from './own-record.ts';

/** Base64 of 32 bytes, a key or a hash: two bits of the last digit are spare, and zero. */
export const BYTES_32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** A cluster's name. */
export const CLUSTER = /^[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?$/;
/** WireGuard takes it for no key. */
export const NO_KEY = `${'A'.repeat(43)}=`;
/** A node has two devices. */
const MAX_EPOCHS = 2;
const MAX_UINT32 = 0xffff_ffff;
const TEXT_OF_32_BYTES = 44;
/** Digits of the greatest number. */
const MAX_DIGITS = 10;
const [ZERO, NINE, QUOTE] = [0x30, 0x39, 0x22];
/** What stands in JSON as it is. */
const PLAIN = /^[-.a-z0-9]+$/;
const NOBODY: readonly string[] = [];

/** What is wrong with the epochs of a record together; each of them is good. */
export function epochsProblem(epochs: readonly WireGuardEpoch[]): DropReason | undefined {
  const [older, newer] = epochs;
  if (epochs.length > MAX_EPOCHS) return 'bad-epoch';
  if (older === undefined || newer === undefined) return undefined;
  // Of one parity they would be on one device.
  if (older.epoch >= newer.epoch || (newer.epoch - older.epoch) % 2 === 0) return 'bad-epoch';
  return older.publicKey === newer.publicKey ? 'bad-public-key' : undefined;
}

/**
 * Reads a record of WireGuard keys as `encodeWireGuard` writes it, without laggards and blockers, which there hardly ever are: a thousand nodes read a thousand
 * of them several times while keys change, and parsing JSON takes most of the time that this takes in all.
 * @param read the record, as it is written
 * @param before what it said before: what has not changed is not checked again, nor kept twice
 * @returns undefined where it is written in any other way or something is wrong: it takes the long way then, which says what
 */
export function readWireGuardText(read: string, context: OwnRecordContext, before: WireGuardRow | undefined): WireGuardRow | undefined {
  const { cluster, clusterId, name } = context;
  if (!PLAIN.test(cluster) || !PLAIN.test(name)) return undefined;
  const text = new Text(read);
  if (!(text.has('{"cluster":"') && text.has(cluster) && text.has('","name":"') && text.has(name) && text.has('","clusterID":')))
    return undefined;
  if (text.uint() !== clusterId || !text.has(',"epochs":[')) return undefined;
  const epochs = readEpochs(text, before?.epochs ?? []);
  if (epochs === undefined || !text.has(',"minTx":')) return undefined;
  const minTx = text.uint();
  if (minTx === undefined || !text.has(',"laggards":[]')) return undefined;
  const row: WireGuardRow = { cluster: intern(cluster), clusterId, name, epochs, minTx, laggards: NOBODY };
  if (text.isOver('}')) return row;
  const wanted = readWanted(text);
  return wanted && text.isOver('}') ? { ...row, wanted } : undefined;
}

function readEpochs(text: Text, before: readonly WireGuardEpoch[]): WireGuardEpoch[] | undefined {
  const epochs: WireGuardEpoch[] = [];
  if (text.has(']')) return epochs;
  do {
    const epoch = readEpoch(text, before);
    if (epoch === undefined) return undefined;
    epochs.push(epoch);
  } while (text.has(','));
  return text.has(']') && epochsProblem(epochs) === undefined ? epochs : undefined;
}

function readEpoch(text: Text, before: readonly WireGuardEpoch[]): WireGuardEpoch | undefined {
  if (!text.has('{"epoch":')) return undefined;
  const epoch = text.uint();
  if (!epoch || !text.has(',"publicKey":"')) return undefined;
  const known = before.find((each) => each.epoch === epoch);
  const publicKey = text.bytes32(known?.publicKey);
  if (publicKey === undefined || publicKey === NO_KEY || !text.has('","port":')) return undefined;
  const port = text.uint();
  if (port !== WIREGUARD_PORTS[epoch % 2 === 0 ? 'even' : 'odd']) return undefined;
  if (text.has('}')) return known?.publicKey === publicKey && known.kemKeyHash === undefined ? known : { epoch, publicKey, port };
  if (!text.has(',"kemKeyHash":"')) return undefined;
  const kemKeyHash = text.bytes32(known?.kemKeyHash);
  if (kemKeyHash === undefined || !text.has('"}')) return undefined;
  return known?.publicKey === publicKey && known.kemKeyHash === kemKeyHash ? known : { epoch, publicKey, port, kemKeyHash };
}

function readWanted(text: Text): WireGuardRow['wanted'] {
  if (!text.has(',"wanted":{"epoch":')) return undefined;
  const epoch = text.uint();
  if (!epoch || !text.has(',"cluster":"')) return undefined;
  const cluster = text.untilQuote();
  return CLUSTER.test(cluster) && text.has('"}') ? { epoch, cluster: intern(cluster) } : undefined;
}

/** A text that is read from the front. */
class Text {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Goes behind what comes next, if it is that. */
  has(what: string): boolean {
    if (!this.#text.startsWith(what, this.#at)) return false;
    this.#at += what.length;
    return true;
  }

  /** Whether that is all that is left. */
  isOver(what: string): boolean {
    return this.#at + what.length === this.#text.length && this.has(what);
  }

  /** A number of 32 bits, as JSON has it; undefined when there is none. */
  uint(): number | undefined {
    const from = this.#at;
    let value = 0;
    for (let digit = this.#code(); digit >= ZERO && digit <= NINE; digit = this.#code()) {
      value = 10 * value + digit - ZERO;
      this.#at++;
    }
    const digits = this.#at - from;
    const isOne = digits > 0 && digits <= MAX_DIGITS && (digits === 1 || this.#text.charCodeAt(from) !== ZERO);
    return isOne && value <= MAX_UINT32 ? value : undefined;
  }

  /** Base64 of 32 bytes. @param known what it most likely is: then it is that very string */
  bytes32(known: string | undefined): string | undefined {
    const part = this.#text.slice(this.#at, this.#at + TEXT_OF_32_BYTES);
    if (part !== known && !BYTES_32.test(part)) return undefined;
    this.#at += TEXT_OF_32_BYTES;
    if (part === known) return known;
    // A string of its own: a part of the text would keep all of it.
    return Buffer.from(part, 'latin1').toString('latin1');
  }

  untilQuote(): string {
    const from = this.#at;
    while (this.#at < this.#text.length && this.#code() !== QUOTE) this.#at++;
    return this.#text.slice(from, this.#at);
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }
}
