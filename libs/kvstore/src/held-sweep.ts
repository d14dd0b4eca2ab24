import type { Cancel } from '@isthmus/core';
import type { MirrorChange, MirrorOptions, MirrorOrigin, RelistReason } from './mirror.ts';

/** What a store has lost its history by: what is missing in it may only not have been written again yet. */
const LOST_HISTORY: readonly RelistReason[] = ['other-cluster', 'went-back', 'rewritten', 'unproven'];
/** Milliseconds that everybody has to write again what he knows. Agents do so as soon as they see that a store was wiped or restored. */
const REPUBLISH_MS = 20_000;

/** Callbacks of a mirror whose batches are taken in one go. */
export type SweptHandlers = Pick<MirrorOptions, 'onRelist'> & {
  onBatch(changes: readonly MirrorChange[], origin: MirrorOrigin): void;
  onSynced(): void;
};

/**
 * Callbacks for {@link MirrorOptions} under which a wiped or restored store deletes nothing at once: keys that a listing after it does not
 * find are kept for twenty seconds, and deleted if nobody has written them again by then. Deletions in a store that kept its history are
 * passed on as they come.
 */
export function holdSweeps(
  handlers: SweptHandlers,
  { clock, signal }: Pick<MirrorOptions, 'clock' | 'signal'>,
): Required<Pick<MirrorOptions, 'onBatch' | 'onRelist' | 'onSynced'>> {
  const held = new Map<string, MirrorChange>();
  let lost = false;
  let cancel: Cancel | undefined;
  const release = (): void => {
    if (held.size === 0) return;
    const gone = [...held.values()];
    held.clear();
    handlers.onBatch(gone, 'sweep');
  };
  signal.addEventListener('abort', () => cancel?.(), { once: true });
  return {
    onRelist: (reason) => {
      lost ||= LOST_HISTORY.includes(reason);
      handlers.onRelist?.(reason);
    },
    onBatch: (changes, _revision, origin) => {
      if (origin === 'sweep' && lost) {
        for (const change of changes) held.set(change.name, change);
        cancel?.();
        cancel = clock.after(REPUBLISH_MS, release);
        return;
      }
      for (const { name } of changes) held.delete(name);
      handlers.onBatch(changes, origin);
    },
    onSynced: () => {
      lost = false;
      handlers.onSynced();
    },
  };
}
