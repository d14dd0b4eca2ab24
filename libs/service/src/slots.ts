import { CodedError, defineError } from '@isthmus/core';
import type { FrontendRow } from './rows.ts';

/** Largest number of backends that one frontend can have: slots are 16 bits wide. */
export const MAX_SLOTS = 0xffff;

export const SERVICE_TOO_MANY_BACKENDS = defineError(
  'SERVICE_TOO_MANY_BACKENDS',
  'A service has more backends than a frontend has slots.',
  'Split the service, or give it the affinity local.',
);

/** A row of the service map under one frontend. Slot 0 holds `count` and `revnat`, the others hold `backend`; what is unused is 0. */
export interface SlotRow {
  readonly slot: number;
  readonly backend: number;
  readonly count: number;
  readonly revnat: number;
}

/** Numbers that the kernel knows rows by. */
export interface SlotIds {
  /** Number of a backend; it must be in the backend map before a slot names it. */
  backendId(key: string): number;
  /** Number of a frontend. */
  revnatId(key: string): number;
}

/** One write to the service map. Operations are done one by one, in order. */
export type SlotOperation = { readonly kind: 'put'; readonly row: SlotRow } | { readonly kind: 'delete'; readonly slot: number };

/** What a frontend is in the service map: slot 0 first. @throws CodedError SERVICE_TOO_MANY_BACKENDS */
export function frontendSlots(key: string, row: FrontendRow, ids: SlotIds): SlotRow[] {
  const count = row.backends.length;
  if (count > MAX_SLOTS) throw tooMany(row, count);
  const head = { slot: 0, backend: 0, count, revnat: ids.revnatId(key) };
  return [head, ...row.backends.map((backend, i) => ({ slot: i + 1, backend: ids.backendId(backend), count: 0, revnat: 0 }))];
}

/**
 * The writes that turn what is in the map into `slots`, so that whoever picks one of 1..count meanwhile finds a backend, old or new: new
 * slots before the count that includes them, surplus slots after the count that leaves them out.
 * @param present highest slot that may be in the map: its old count, or more where an earlier write was cut short
 */
export function slotOperations(present: number, slots: readonly SlotRow[]): SlotOperation[] {
  const [head, ...backends] = slots;
  const puts = backends.map((row) => ({ kind: 'put' as const, row }));
  return [...puts, ...(head ? [{ kind: 'put' as const, row: head }] : []), ...deletions(slots.length, present)];
}

/** The writes that take a frontend out: slot 0 first, so that nobody looks for the others. */
export function removalOperations(present: number): SlotOperation[] {
  return [{ kind: 'delete', slot: 0 }, ...deletions(1, present)];
}

/** The last slot first: when a write fails, those that are left have no gap, and are found again. */
function deletions(from: number, to: number): SlotOperation[] {
  const operations: SlotOperation[] = [];
  for (let slot = to; slot >= from; slot--) operations.push({ kind: 'delete', slot });
  return operations;
}

function tooMany(row: FrontendRow, count: number): CodedError {
  const object = `${row.namespace}/${row.name}`;
  return new CodedError(SERVICE_TOO_MANY_BACKENDS, `service ${object} has ${count} backends; ${MAX_SLOTS} is the limit`, { object });
}
