import { CodedError } from '@isthmus/core';
import { KV_REQUEST, KV_TOO_LARGE } from '../../kv-errors.ts';
import {
  type KvCompare,
  type KvEntry,
  type KvOp,
  type KvOpResult,
  type KvRelation,
  type KvTxn,
  type KvValue,
  MAX_TXN_OPS,
} from '../../kvstore.ts';
import type { MemoryHistory, MemoryWrite } from './memory-history.ts';

const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024; // etcd's default --max-request-bytes

/** A transaction's branch, worked out against the present state. */
export interface PlannedTxn {
  writes: MemoryWrite[];
  /** Call after the writes are applied. */
  results(): KvOpResult[];
}

/** True when every condition holds. */
export function conditionsHold(history: MemoryHistory, compare: readonly KvCompare[] = []): boolean {
  return compare.every((condition) => holds(history.at(condition.key), condition));
}

/** Works a list of operations out. @throws CodedError when one key is written twice or a limit is exceeded */
export function planOps(history: MemoryHistory, ops: readonly KvOp[]): PlannedTxn {
  const written = new Map<string, MemoryWrite>();
  const planned = ops.map((op) => planOp(history, op, written));
  return { writes: [...written.values()], results: () => planned.map((result) => result()) };
}

/** @throws CodedError KV_TOO_LARGE where etcd's defaults would refuse */
export function checkLimits(txn: KvTxn): void {
  const ops = [...txn.success, ...(txn.failure ?? [])];
  if (Math.max(txn.compare?.length ?? 0, txn.success.length, txn.failure?.length ?? 0) > MAX_TXN_OPS) {
    throw new CodedError(KV_TOO_LARGE, `a transaction has more than ${MAX_TXN_OPS} operations`);
  }
  const bytes = ops.reduce((sum, op) => sum + (op.type === 'put' ? op.value.length : 0), 0);
  if (bytes > MAX_REQUEST_BYTES) throw new CodedError(KV_TOO_LARGE, `a request has ${bytes} bytes of values`);
}

/** The bytes of a value. */
export function valueBytes(value: KvValue): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

function planOp(history: MemoryHistory, op: KvOp, written: Map<string, MemoryWrite>): () => KvOpResult {
  switch (op.type) {
    case 'put':
      write(written, { key: op.key, value: valueBytes(op.value), ...(op.lease && { lease: op.lease }) });
      return () => ({ type: 'put' });
    case 'get': {
      if (op.revision !== undefined || !written.has(op.key)) {
        const entry = history.at(op.key, op.revision);
        return () => ({ type: 'get', entry });
      }
      return () => ({ type: 'get', entry: history.at(op.key) });
    }
    default:
      return planDelete(history, op, written);
  }
}

function planDelete(
  history: MemoryHistory,
  op: KvOp & { type: 'delete' | 'deletePrefix' },
  written: Map<string, MemoryWrite>,
): () => KvOpResult {
  const { type } = op;
  const doomed = type === 'delete' ? [history.at(op.key)] : history.range(op.prefix);
  const keys = doomed.filter((entry) => entry !== undefined).map((entry) => entry.key);
  for (const key of keys) write(written, { key });
  return () => ({ type, deleted: keys.length });
}

function write(written: Map<string, MemoryWrite>, next: MemoryWrite): void {
  if (written.has(next.key)) throw new CodedError(KV_REQUEST, `key ${next.key} is written twice in one transaction`, { object: next.key });
  written.set(next.key, next);
}

function holds(entry: KvEntry | undefined, condition: KvCompare): boolean {
  const op = condition.op ?? '=';
  if ('value' in condition) return entry !== undefined && relates(Buffer.compare(entry.value, valueBytes(condition.value)), op);
  if ('modRevision' in condition) return relates((entry?.modRevision ?? 0) - condition.modRevision, op);
  if ('createRevision' in condition) return relates((entry?.createRevision ?? 0) - condition.createRevision, op);
  if ('version' in condition) return relates((entry?.version ?? 0) - condition.version, op);
  return relates(Number(BigInt(entry?.lease ?? '0') - BigInt(condition.lease)), op);
}

function relates(difference: number, op: KvRelation): boolean {
  if (op === '=') return difference === 0;
  if (op === '!=') return difference !== 0;
  return op === '<' ? difference < 0 : difference > 0;
}
