import type { BfdReport } from './bfd-report.ts';
import type { BfdSessionConfig } from './bfd-settings.ts';
import type { DropCounts } from './reception.ts';

/** What a client of the BFD process says: one JSON object per line. */
export type BfdRequest =
  /** These are all sessions that it wants. */
  | { readonly type: 'sessions'; readonly sessions: readonly BfdSessionConfig[] }
  /** It asks how everything is. */
  | { readonly type: 'status' };

/** What the BFD process says: one JSON object per line; `status` at once to whoever connects. */
export type BfdMessage =
  | ({ readonly type: 'status' } & BfdStatus)
  /** A session's state, its peer's, or its error is another one. */
  | { readonly type: 'state'; readonly session: BfdReport }
  /** The wish was taken; of sessions that were refused the old ones, if any, stay. */
  | { readonly type: 'taken'; readonly refused: readonly BfdRefusal[] }
  /** A line could not be read. */
  | { readonly type: 'error'; readonly code: string; readonly message: string };

/** How the BFD process is. */
export interface BfdStatus {
  /** Another one with each start: sessions of another instance began anew. */
  readonly instance: string;
  readonly sessions: readonly BfdReport[];
  /** Packets that belong to no session. */
  readonly dropped: DropCounts;
  /** Whether the process comes before ordinary ones on its cores. */
  readonly fifo: boolean;
  /** Why it does not. */
  readonly fifoError?: string;
}

/** A session that is not made. */
export interface BfdRefusal {
  readonly key: string;
  readonly error: string;
}

/** Longest line that is read, in bytes. */
export const MAX_LINE = 4 << 20;

/** Cuts a stream of text into lines. */
export class LineReader {
  #rest = '';

  /** Takes what arrived. @returns the complete lines @throws RangeError when a line is longer than {@link MAX_LINE} */
  push(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE) throw new RangeError(`a line is longer than ${MAX_LINE} bytes`);
    return lines.filter((line) => line.trim() !== '');
  }
}
