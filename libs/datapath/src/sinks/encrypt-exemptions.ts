import type { EncryptionExemption } from '@isthmus/model';
import { encodeEncryptExemptKey } from '../generated/layouts.ts';
import { PROTOCOL_NUMBER } from './backend-key.ts';

/** A map whose rows are written at once, one by one. */
export interface PlainRowMap {
  set(key: Uint8Array, value: Uint8Array): void;
  unset(key: Uint8Array): boolean;
  entries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
}

/** The value says nothing: that there is a row is all. */
const EXEMPT = Uint8Array.of(1);

/** Makes `isth_encrypt_exempt` hold these and no others. What stays is there at every instant. @throws CodedError BPF_MAP_FULL, BPF_MAP */
export function writeEncryptExemptions(map: PlainRowMap, exemptions: readonly EncryptionExemption[]): void {
  const wanted = new Set<string>();
  for (const { protocol, ports } of exemptions) {
    for (const port of ports) {
      const key = encodeEncryptExemptKey({ protocol: PROTOCOL_NUMBER[protocol], port });
      wanted.add(key.toString());
      map.set(key, EXEMPT);
    }
  }
  for (const [key] of [...map.entries()]) if (!wanted.has(key.toString())) map.unset(key);
}
