import { prefixRange } from '../../key-range.ts';
import type { KvCompare, KvOp, KvOpResult, KvRelation, KvTxn, KvValue } from '../../kvstore.ts';

const RELATIONS: Record<KvRelation, string> = { '=': 'EQUAL', '!=': 'NOT_EQUAL', '<': 'LESS', '>': 'GREATER' };

/** A value as the wire takes it. */
export function wireValue(value: KvValue): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** A `PutRequest`. */
export function putRequest(key: string, value: KvValue, lease?: string): object {
  return { key: Buffer.from(key), value: wireValue(value), ...(lease && { lease }) };
}

/** A `TxnRequest`. */
export function txnRequest(txn: KvTxn): object {
  return {
    compare: txn.compare?.map(compareRequest),
    success: txn.success.map(opRequest),
    failure: txn.failure?.map(opRequest),
  };
}

/** Gives the deletions of an answer the kind that they had in the request. */
export function txnResults(ops: readonly KvOp[], results: readonly KvOpResult[]): KvOpResult[] {
  return results.map((result, i) =>
    ops[i]?.type === 'deletePrefix' && 'deleted' in result ? { ...result, type: 'deletePrefix' } : result,
  );
}

function compareRequest(compare: KvCompare): object {
  const common = { key: Buffer.from(compare.key), result: RELATIONS[compare.op ?? '='] };
  if ('value' in compare) return { ...common, target: 'VALUE', value: wireValue(compare.value) };
  if ('modRevision' in compare) return { ...common, target: 'MOD', modRevision: compare.modRevision };
  if ('createRevision' in compare) return { ...common, target: 'CREATE', createRevision: compare.createRevision };
  if ('version' in compare) return { ...common, target: 'VERSION', version: compare.version };
  return { ...common, target: 'LEASE', lease: compare.lease };
}

function opRequest(op: KvOp): object {
  switch (op.type) {
    case 'put':
      return { requestPut: putRequest(op.key, op.value, op.lease) };
    case 'delete':
      return { requestDeleteRange: { key: Buffer.from(op.key) } };
    case 'deletePrefix': {
      const { start, end } = prefixRange(op.prefix);
      return { requestDeleteRange: { key: start, rangeEnd: end } };
    }
    case 'get':
      return { requestRange: { key: Buffer.from(op.key), revision: op.revision ?? 0 } };
  }
}
