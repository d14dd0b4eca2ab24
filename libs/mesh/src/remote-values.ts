import type { Decoded, RecordContext } from './decode-result.ts';
import { decodeRecord, type RecordRows } from './record.codec.ts';
import type { RecordKind } from './record-kind.ts';
import type { ValuesByKind } from './remote-sink.ts';

/** How the values of records reach the sink. Every mode checks each record in full. */
export interface ValueMode<V extends ValuesByKind> {
  read<K extends RecordKind>(kind: K, bytes: Uint8Array, context: RecordContext): Decoded<V[K]>;
}

/** Decoded rows: for tables. */
export const decodedRows: ValueMode<RecordRows & ValuesByKind> = { read: decodeRecord };

/** Type of {@link rawValues}. */
export type RawValues = Record<RecordKind, Uint8Array>;

/** The bytes as they are (a copy of them) once they have passed every check: for mirrors, which must not lose fields that we do not know. */
export const rawValues: ValueMode<RawValues> = {
  read: (kind, bytes, context) => {
    const decoded = decodeRecord(kind, bytes, context);
    return decoded.ok ? { ok: true, value: bytes.slice() } : decoded;
  },
};
