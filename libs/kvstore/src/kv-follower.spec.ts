import { ManualClock, seededRandom } from '@isthmus/core';
import { MemoryKvServer } from './adapters/memory/memory-server.ts';
import { KvFollower } from './kv-follower.ts';

describe('KvFollower', () => {
  const clock = new ManualClock();
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  };

  it.each([
    { holdLost: false, after: [[], ['a'], ['a']] },
    { holdLost: true, after: [[], [], ['a']] },
  ])('tells what a wiped store lost (held for a while: $holdLost), but never what was written again', async ({ holdLost, after }) => {
    const server = new MemoryKvServer({ clock, random: seededRandom(1) });
    const kv = server.connect();
    for (const key of ['p/a', 'p/b']) await kv.put(key, '1');
    const gone: string[] = [];
    const follower = new KvFollower({
      kv,
      endpoints: [],
      clock,
      random: seededRandom(2),
      onFailed: (_prefix, error) => expect(error).toBe(0),
    });
    const handlers = {
      onBatch: (changes: readonly { name: string; value: Uint8Array | undefined }[]) =>
        void gone.push(...changes.filter(({ value }) => value === undefined).map(({ name }) => name)),
      onSynced: () => undefined,
      onDisconnected: () => undefined,
    };
    const following = follower.mirror('p/', handlers, { holdLost });
    await turns();
    server.wipe();
    await kv.put('p/b', '1');
    const seen: string[][] = [];
    for (const ms of [0, 1_000, 30_000]) {
      clock.advance(ms);
      await turns();
      seen.push([...gone]);
    }
    following.close();
    expect(seen).toEqual(after);
  });
});
