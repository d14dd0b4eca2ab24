import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CniAnswer } from './cni-handler.ts';

/** What happened to a queued call. */
export type QueuedDelete = { readonly file: string; readonly answer?: CniAnswer; readonly error?: unknown };

/**
 * Works off the DEL calls that the shim queued while no agent listened. The shim tries once more after writing its file, so whoever listens
 * first and reads then misses none. A call that fails stays queued.
 */
export async function drainDeleteQueue(stateDir: string, handle: (body: unknown) => Promise<CniAnswer>): Promise<QueuedDelete[]> {
  const dir = join(stateDir, 'delete-queue');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const done: QueuedDelete[] = [];
  for (const name of readdirSync(dir).filter((each) => each.endsWith('.json'))) {
    const file = join(dir, name);
    try {
      const answer = await handle(JSON.parse(readFileSync(file, 'utf8')));
      if (answer.status === 200) rmSync(file, { force: true });
      done.push({ file, answer });
    } catch (error) {
      done.push({ file, error });
    }
  }
  return done;
}
