import { readFileSync } from 'node:fs';
import { delay, systemClock } from '@isthmus/core';
import type { KvOp } from '@isthmus/kvstore';
import { MAX_TXN_OPS } from '@isthmus/kvstore';
import { processTime, TICKS_PER_SECOND } from '../cpu-time.ts';
import type { Wanted } from '../mesh/agent-map.ts';
import type { CacheLab } from '../mesh/cache-lab.ts';
import type { MeshChange } from './change-maker.ts';

const STEP_MS = 20;
const LOOK_MS = 1;
/** What is not in the kernel by then is missed. */
const MISSED_AFTER_MS = 10_000;

/** What a stretch of changes came to. */
export interface ChurnResult {
  /** Milliseconds from each change being acknowledged until the kernel had it. */
  readonly queue: readonly number[];
  /** Changes that never got there. */
  readonly missed: number;
  /** Changes a second that were acknowledged. */
  readonly rate: number;
  /** Share of a core that the agent took, in per cent. */
  readonly cpu: number;
}

/** A change that was acknowledged and is looked for. */
interface Pending {
  readonly since: number;
  readonly wanted: Wanted;
}

/** Writes changes at a rate for so long, and looks for each in the agent's kernel. @param next makes a change */
export async function churn(lab: CacheLab, next: () => MeshChange, perSecond: number, milliseconds: number): Promise<ChurnResult> {
  const pending = new Set<Pending>();
  const queue: number[] = [];
  const look = new AbortController();
  const looking = lookFor(lab, pending, queue, look.signal);
  const [began, ticks] = [performance.now(), agentTicks(lab)];
  const writes: Promise<void>[] = [];
  let made = 0;
  for (let now = began; now < began + milliseconds; now = performance.now()) {
    const due = Math.floor(((now - began + STEP_MS) * perSecond) / 1000) - made;
    made += due;
    for (let left = due; left > 0; left -= MAX_TXN_OPS) writes.push(write(lab, take(next, Math.min(left, MAX_TXN_OPS)), pending));
    await delay(systemClock, STEP_MS);
  }
  await Promise.all(writes);
  const seconds = (performance.now() - began) / 1000;
  const cpu = ((agentTicks(lab) - ticks) / TICKS_PER_SECOND / seconds) * 100;
  const deadline = performance.now() + MISSED_AFTER_MS;
  while (pending.size > 0 && performance.now() < deadline) await delay(systemClock, STEP_MS);
  look.abort();
  await looking;
  return { queue, missed: pending.size, rate: made / seconds, cpu };
}

function take(next: () => MeshChange, count: number): MeshChange[] {
  return Array.from({ length: count }, next);
}

/** In one transaction, as a mirror writes what it hears of at a time. */
async function write({ kv }: CacheLab, changes: readonly MeshChange[], pending: Set<Pending>): Promise<void> {
  await kv.txn({ success: changes.map(operation) });
  const since = performance.now();
  for (const { wanted } of changes) if (wanted) pending.add({ since, wanted });
}

function operation({ key, value }: MeshChange): KvOp {
  return value === undefined ? { type: 'delete', key } : { type: 'put', key, value };
}

async function lookFor({ ipcache }: CacheLab, pending: Set<Pending>, queue: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const each of pending) {
      if (!each.wanted.is(ipcache.lookup(each.wanted.key))) continue;
      queue.push(performance.now() - each.since);
      pending.delete(each);
    }
    await delay(systemClock, LOOK_MS);
  }
}

function agentTicks({ agentPid }: CacheLab): number {
  return processTime(readFileSync(`/proc/${agentPid}/stat`, 'utf8'))?.ticks ?? 0;
}
