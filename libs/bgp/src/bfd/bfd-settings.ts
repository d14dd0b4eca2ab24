import { CodedError, defineError } from '@isthmus/core';
import { canonicalIp, parseIp } from '@isthmus/net';

/** A session that cannot be. */
export const BFD_SESSION = defineError(
  'BFD_SESSION',
  'What is wanted of a BFD session cannot be.',
  'The message names the field. A link-local address needs its interface, and both addresses are of one family.',
);

/** A session as it is wanted. */
export interface BfdSessionConfig {
  /** Name that the wanting side knows it by; unique. */
  readonly key: string;
  /** Own address. */
  readonly local: string;
  /** The peer's address. */
  readonly remote: string;
  /** Device that packets must use; needed for link-local addresses, allowed only on a single hop. */
  readonly interface?: string;
  /** RFC 5883 instead of RFC 5881: another port, and the peer may be some hops away. */
  readonly multihop: boolean;
  /** Least TTL of received packets; 1 to 255, of a multihop session only: a single hop is always 255 (RFC 5881 §5). 1 unless given. */
  readonly minTtl?: number;
  /** Least milliseconds between packets sent while up. */
  readonly desiredMinTxMs: number;
  /** Least milliseconds between packets that can be received. */
  readonly requiredMinRxMs: number;
  /** Packets that may be missed before the session is down; 1 to 255. */
  readonly multiplier: number;
}

/** Longest interval that is taken, in milliseconds; the wire could carry more than an hour. */
const MAX_INTERVAL_MS = 60_000;
const MIN_INTERVAL_MS = 1;
/** IFNAMSIZ less the zero. */
const MAX_INTERFACE = 15;

/**
 * Reads what a client wants of a session; addresses come out canonical and without a zone.
 * @throws CodedError BFD_SESSION
 */
export function readSessionConfig(value: unknown): BfdSessionConfig {
  const row: Record<string, unknown> = typeof value === 'object' && value !== null ? { ...value } : {};
  const key = typeof row['key'] === 'string' ? row['key'] : '';
  const refuse = (why: string): never => {
    throw new CodedError(BFD_SESSION, `BFD session ${JSON.stringify(key)}: ${why}`, { object: key });
  };
  if (key === '') refuse('it has no key');
  const number = (field: string, min: number, max: number, whole: boolean): number => {
    const found = row[field];
    if (typeof found === 'number' && found >= min && found <= max && (!whole || Number.isInteger(found))) return found;
    return refuse(`${field} is ${JSON.stringify(found)}, and must be ${whole ? 'a whole number ' : ''}from ${min} to ${max}`);
  };
  const { multihop = false } = row;
  if (typeof multihop !== 'boolean') return refuse('multihop is neither true nor false');
  const [local, remote] = [address(row['local'], refuse), address(row['remote'], refuse)];
  const device = interfaceOf(row['interface'], refuse);
  if (local.includes(':') !== remote.includes(':')) refuse(`${local} and ${remote} are of different families`);
  if (device === undefined && [local, remote].some(isLinkLocal)) refuse(`${remote} is link-local and needs an interface`);
  if (multihop && device !== undefined) refuse('a multihop session has no interface');
  if (!multihop && row['minTtl'] !== undefined) refuse('a single hop has no minTtl: it is always 255');
  return {
    key,
    local,
    remote,
    multihop,
    ...(device === undefined ? {} : { interface: device }),
    ...(multihop ? { minTtl: row['minTtl'] === undefined ? 1 : number('minTtl', 1, 255, true) } : {}),
    desiredMinTxMs: number('desiredMinTxMs', MIN_INTERVAL_MS, MAX_INTERVAL_MS, false),
    requiredMinRxMs: number('requiredMinRxMs', MIN_INTERVAL_MS, MAX_INTERVAL_MS, false),
    multiplier: number('multiplier', 1, 255, true),
  };
}

function address(value: unknown, refuse: (why: string) => never): string {
  if (typeof value === 'string' && parseIp(value) !== undefined) return canonicalIp(value) ?? refuse(`${value} is no IP address`);
  return refuse(`${JSON.stringify(value)} is no IP address`);
}

function interfaceOf(value: unknown, refuse: (why: string) => never): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[^\s/%]+$/.test(value) && value.length <= MAX_INTERFACE) return value;
  return refuse(`${JSON.stringify(value)} is no interface`);
}

function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}

/** Way that packets of a session take: another one is another session. */
export interface BfdPath {
  readonly local: string;
  readonly remote: string;
  readonly interface?: string;
  readonly multihop: boolean;
}

/** One text per path. */
export function pathKey({ local, remote, interface: device = '', multihop }: BfdPath): string {
  return `${multihop ? 'm' : 's'} ${local} ${device} ${remote}`;
}
