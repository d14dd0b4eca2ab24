import { canonicalIp } from '@isthmus/net';
import { reject } from './decode-result.ts';

/** Canonical text of an address in a record, v4-mapped ones as IPv4. Rejects what is none. */
export function readIp(text: string): string {
  return canonicalIp(text, { unmap: true }) ?? reject('bad-address');
}

/** As {@link readIp}; `''`, which stands for "none", stays. */
export function readOptionalIp(text: string): string {
  return text === '' ? '' : readIp(text);
}
