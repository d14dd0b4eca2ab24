import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Attachment } from '../endpoint/endpoint-service.ts';
import type { CniAnswer } from './cni-handler.ts';

/** What happened to a queued call. */
export type QueuedDelete = { readonly file: string; readonly answer?: CniAnswer; readonly error?: unknown };

/**
 * DEL calls that the shim queued while no agent listened: one file for each attachment. The shim tries once more after writing its file, so
 * whoever listens first and reads then misses none. A call is done before its file goes, so a crash in between does it again; that is
 * harmless, because an ADD of the same attachment does it first and takes the file away.
 */
export class DeleteQueue {
  readonly #folders: readonly string[];

  /** @param stateDirs folders that the shim may have been told of */
  constructor(stateDirs: readonly string[]) {
    this.#folders = [...new Set(stateDirs)].map((folder) => join(folder, 'delete-queue'));
  }

  /** Whether a deletion of this attachment waits. */
  has(attachment: Attachment): boolean {
    return this.#files(attachment).some((file) => existsSync(file));
  }

  /** The attachment has been deleted. */
  done(attachment: Attachment): void {
    for (const file of this.#files(attachment)) rmSync(file, { force: true });
  }

  /** Works off what is queued. A call that fails stays. */
  async drain(handle: (body: unknown) => Promise<CniAnswer>): Promise<QueuedDelete[]> {
    const done: QueuedDelete[] = [];
    for (const folder of this.#folders) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(folder)) if (name.endsWith('.json')) done.push(...(await drainFile(join(folder, name), handle)));
    }
    return done;
  }

  /** Named as the shim does (apps/cni/src/isthmus-cni.c). */
  #files({ containerId, podInterface }: Attachment): string[] {
    return this.#folders.map((folder) => join(folder, `${containerId}:${podInterface}.json`));
  }
}

async function drainFile(file: string, handle: (body: unknown) => Promise<CniAnswer>): Promise<QueuedDelete[]> {
  try {
    // An ADD of the same attachment was faster.
    if (!existsSync(file)) return [];
    const answer = await handle(JSON.parse(readFileSync(file, 'utf8')));
    if (answer.status === 200) rmSync(file, { force: true });
    return [{ file, answer }];
  } catch (error) {
    return [{ file, error }];
  }
}
