import { RECORD_KINDS, type RecordKind } from '@isthmus/mesh';

/** One thing for each kind of records, made in the order of {@link RECORD_KINDS}. */
export function byKind<T>(make: (kind: RecordKind) => T): Record<RecordKind, T> {
  return Object.fromEntries(RECORD_KINDS.map((kind) => [kind, make(kind)])) as Record<RecordKind, T>;
}
