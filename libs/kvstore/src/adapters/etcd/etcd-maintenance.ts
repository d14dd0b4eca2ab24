import { isCoded } from '@isthmus/core';
import { KV_COMPACTED } from '../../kv-errors.ts';
import type { KvCallOptions, KvMaintenance } from '../../kvstore.ts';
import type { EtcdRpc } from './etcd-rpc.ts';
import { definedMethod } from './protos.ts';

interface HeaderAnswer {
  header: { clusterId: string };
}

interface AlarmAnswer extends HeaderAnswer {
  alarms: { memberId: string; alarm: string }[];
}

const COMPACT = definedMethod<HeaderAnswer>('KV', 'Compact');
const DEFRAGMENT = definedMethod<HeaderAnswer>('Maintenance', 'Defragment');
const ALARM = definedMethod<AlarmAnswer>('Maintenance', 'Alarm');
const DEFRAGMENT_TIMEOUT_MS = 60_000; // it rewrites the whole file

/** etcd's upkeep. */
export class EtcdMaintenance implements KvMaintenance {
  readonly #rpc: EtcdRpc;

  constructor(rpc: EtcdRpc) {
    this.#rpc = rpc;
  }

  async compact(revision: number, options: KvCallOptions = {}): Promise<void> {
    try {
      // physical: returns only when the space can be used again
      await this.#rpc.call(COMPACT, { revision, physical: true }, { verb: 'compact', object: `revision ${revision}` }, options);
    } catch (error) {
      if (!isCoded(error, KV_COMPACTED)) throw error;
    }
  }

  async defragment(options: KvCallOptions = {}): Promise<void> {
    await this.#rpc.call(DEFRAGMENT, {}, { verb: 'defragment', object: 'etcd' }, { timeoutMs: DEFRAGMENT_TIMEOUT_MS, ...options });
  }

  async clearAlarms(options: KvCallOptions = {}): Promise<void> {
    const { answer } = await this.#rpc.call(ALARM, { action: 'GET', alarm: 'NONE' }, { verb: 'list', object: 'alarms' }, options);
    for (const { memberId, alarm } of answer.alarms) {
      await this.#rpc.call(ALARM, { action: 'DEACTIVATE', memberId, alarm }, { verb: 'clear', object: `alarm ${alarm}` }, options);
    }
  }
}
