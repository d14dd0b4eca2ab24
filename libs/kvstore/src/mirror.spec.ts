import { ManualClock, seededRandom } from '@isthmus/core';
import fc from 'fast-check';
import { MemoryKvServer } from './adapters/memory/memory-server.ts';
import { type MirrorChange, type MirrorOptions, type MirrorOrigin, mirrorPrefix } from './mirror.ts';

/** Puts, and deletions where the value is undefined. */
type Writes = [key: string, value: string | undefined][];

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A mirror of `p/` into a map, with everything it said as lines. */
function mirrored(server: MemoryKvServer, options: Partial<MirrorOptions> = {}) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const state = new Map<string, string>();
  const said: string[] = [];
  const take = (changes: readonly MirrorChange[], revision: number, origin: MirrorOrigin): void => {
    said.push(`${origin} ${changes.map((c) => (c.value ? c.key : `-${c.key}`)).join(' ')}`);
    for (const { key, value, revision: at } of changes) {
      expect(at).toBeLessThanOrEqual(revision);
      if (value) state.set(key, Buffer.from(value).toString());
      else expect(state.delete(key)).toBe(true);
    }
  };
  const done = mirrorPrefix(server.connect(), {
    prefix: 'p/',
    clock,
    random: seededRandom(7),
    signal: stop.signal,
    onBatch: take,
    onSynced: () => said.push('synced'),
    onDisconnected: () => said.push('disconnected'),
    onRelist: (reason) => said.push(`relist ${reason}`),
    ...options,
  });
  /** Lets it work until nothing moves any more; time passes so that retries happen. */
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 30; i++) {
      clock.advance(ms / 30);
      for (let j = 0; j < 4; j++) await turn();
    }
  };
  const news = (): string[] => said.splice(0);
  return { state, stop, done, settle, news };
}

function contents(server: MemoryKvServer): Map<string, string> {
  return new Map(server.history.range('p/').map((e) => [e.key, Buffer.from(e.value).toString()]));
}

describe('mirrorPrefix', () => {
  it('lists, follows, and ends when told to', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    await kv.put('p/a', '1');
    await kv.put('q/a', 'no');
    const m = mirrored(server);
    await m.settle();
    await kv.put('p/b', '2');
    await kv.delete('p/a');
    await m.settle();
    expect(m.news()).toEqual(['list p/a', 'synced', 'watch p/b', 'watch -p/a']);
    m.stop.abort();
    await m.done;
    expect(server.watchCount).toBe(0);
  });

  it('delivers a listing page by page', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    await kv.txn({ success: Array.from({ length: 100 }, (_, i) => ({ type: 'put', key: `p/${i}`, value: '' })) });
    const sizes: number[] = [];
    const m = mirrored(server, { pageSize: 30, onBatch: (changes) => void sizes.push(changes.length) });
    await m.settle();
    expect(sizes).toEqual([30, 30, 30, 10]);
    m.stop.abort();
  });

  it('follows no more keys than it may, and comes back when there are fewer', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    for (const k of ['a', 'b']) await kv.put(`p/${k}`, '1');
    const m = mirrored(server, { maxKeys: 3, pageSize: 2 });
    await m.settle();
    await kv.put('p/c', '1');
    await m.settle();
    expect(m.news()).toEqual(['list p/a p/b', 'synced', 'watch p/c']);
    await kv.put('p/d', '1');
    await m.settle(60_000);
    expect(new Set(m.news())).toEqual(new Set(['watch p/d', 'disconnected', 'synced']));
    const late = mirrored(server, { maxKeys: 3, pageSize: 2 });
    await late.settle(60_000);
    expect(late.state.size).toBeLessThan(4);
    expect(late.news()).not.toContain('synced');
    await kv.delete('p/a');
    for (const each of [m, late]) {
      await each.settle(60_000);
      expect(each.state).toEqual(contents(server));
      expect(each.news()).toContain('synced');
      each.stop.abort();
    }
  });

  it('comes back from an interruption without listing', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    for (const k of ['a', 'b', 'c']) await kv.put(`p/${k}`, '1');
    await kv.delete('p/b'); // a deletion that no listing shows
    const m = mirrored(server);
    await m.settle();
    server.disconnect();
    await kv.put('p/d', '1');
    await kv.delete('p/a');
    await m.settle(500);
    expect(m.news()).toEqual(['list p/a p/c', 'synced', 'disconnected', 'synced', 'watch p/d -p/a']);
    server.stop();
    await m.settle(60_000);
    server.start();
    await m.settle(15_000);
    const news = m.news();
    expect(news.at(-1)).toBe('synced');
    expect(new Set(news)).toEqual(new Set(['disconnected', 'synced']));
    m.stop.abort();
  });

  it('keeps everything while the store is away, and retries ever slower', async () => {
    const server = new MemoryKvServer();
    await server.connect().put('p/a', '1');
    const m = mirrored(server);
    await m.settle();
    server.stop();
    await m.settle(10 * 60_000);
    const attempts = m.news().filter((line) => line === 'disconnected').length;
    expect(attempts).toBeGreaterThan(8);
    expect(attempts).toBeLessThan(120);
    expect(m.state).toEqual(contents(server));
    m.stop.abort();
  });

  it('after a compaction lists again, says only what changed, and deletes once, at the end', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    for (const k of ['a', 'b', 'c', 'd']) await kv.put(`p/${k}`, '1');
    const m = mirrored(server, { pageSize: 1 });
    await m.settle();
    m.news();
    server.stop();
    server.start();
    await kv.put('p/c', '2');
    await kv.delete('p/a');
    await kv.delete('p/b');
    await server.compact(server.revision);
    await m.settle(500);
    expect(m.news()).toEqual(['disconnected', 'relist compacted', 'list p/c', 'sweep -p/a -p/b', 'synced']);
    m.stop.abort();
  });

  it('relists a wiped store, also under a new cluster id', async () => {
    for (const newCluster of [false, true]) {
      const server = new MemoryKvServer();
      const kv = server.connect();
      for (const k of ['a', 'b']) await kv.put(`p/${k}`, '1');
      const m = mirrored(server);
      await m.settle();
      m.news();
      server.wipe({ newCluster });
      await kv.put('p/b', '1');
      await m.settle(500);
      expect(m.news()).toEqual([
        'disconnected',
        `relist ${newCluster ? 'other-cluster' : 'went-back'}`,
        'list p/b',
        'sweep -p/a',
        'synced',
      ]);
      m.stop.abort();
    }
  });

  describe('notices a store restored from a copy', () => {
    /** A mirror that has read `before`; then the store goes on to `lost`, is restored, and goes on to `instead`. */
    const restored = async (before: Writes, lost: Writes, instead: Writes) => {
      const server = new MemoryKvServer();
      const kv = server.connect();
      const write = async (writes: Writes): Promise<void> => {
        for (const [key, value] of writes) await (value === undefined ? kv.delete(key) : kv.put(key, value));
        server.progress();
      };
      await write(before);
      const m = mirrored(server);
      await m.settle();
      const copy = server.snapshot();
      await write(lost);
      await m.settle();
      m.news();
      server.restore(copy);
      await write(instead);
      await m.settle(500);
      m.stop.abort();
      expect(m.state).toEqual(contents(server));
      return m.news();
    };
    const others = Array.from({ length: 20 }, (_, i): [string, string] => ['q/x', String(i)]);

    it('that has overtaken the old revision', async () => {
      const lost: Writes = [['p/b', '1']];
      const news = await restored([['p/a', '1']], lost, [...others, ['p/c', '1'], ...others]);
      expect(news).toEqual(['disconnected', 'relist rewritten', 'list p/c', 'sweep -p/b', 'synced']);
    });

    it('in which the same keys were written again in the same order', async () => {
      const write = (value: string): Writes => ['a', 'b'].map((k) => [`p/${k}`, value]);
      expect(await restored([], write('old'), write('new'))).toContain('relist rewritten');
    });

    it('that lost deletions', async () => {
      const before: Writes = ['a', 'b', 'c'].map((k) => [`p/${k}`, '1']);
      const lost: Writes = [
        ['p/a', undefined],
        ['p/b', undefined],
      ];
      expect(await restored(before, lost, others)).toContain('relist rewritten');
      expect(await restored(before, lost, [['p/c', '2'], ['p/b', undefined], ...others])).toContain('relist rewritten');
    });

    it('that got new keys where nothing had been read', async () => {
      expect(await restored([['p/a', '1']], others, [['p/b', '1'], ...others, ...others])).toContain('relist rewritten');
    });
  });

  it('notices a wiped store that was filled again in the same order', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    const fill = async (first: string): Promise<void> => {
      await kv.put('p/a', first);
      await kv.put('p/b', 'same');
    };
    await fill('old');
    const m = mirrored(server);
    await m.settle();
    server.wipe();
    await fill('new');
    await m.settle(500);
    expect(m.news()).toEqual(['list p/a p/b', 'synced', 'disconnected', 'relist unproven', 'list p/a', 'synced']);
    m.stop.abort();
  });

  it('lists again when it could leave no mark, or too much was deleted to ask for', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    await kv.txn({ success: Array.from({ length: 60 }, (_, i) => ({ type: 'put', key: `p/${i}`, value: '' })) });
    server.fillUp();
    const m = mirrored(server);
    await m.settle();
    server.disconnect();
    await m.settle(500);
    expect(m.news().slice(1)).toEqual(['synced', 'disconnected', 'relist unproven', 'synced']);
    await server.clearAlarms();
    server.disconnect();
    await m.settle(500);
    await kv.deletePrefix('p/');
    await m.settle();
    m.news();
    server.disconnect();
    await m.settle(500);
    expect(m.news()).toEqual(['disconnected', 'relist unproven', 'synced']);
    m.stop.abort();
  });

  it('notices a store that was wiped between listing and watching', async () => {
    const server = new MemoryKvServer();
    await server.connect().put('p/a', '1');
    let wiped = false;
    const m = mirrored(server, {
      onBatch: () => {
        if (!wiped) server.wipe();
        wiped = true;
      },
    });
    await m.settle(500);
    expect(m.news()).toEqual(['relist went-back', 'synced']);
    m.stop.abort();
  });

  it('begins a broken listing again, and still knows what the broken one showed', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    for (const k of ['a', 'b', 'c']) await kv.put(`p/${k}`, '1');
    const said: string[] = [];
    const onBatch = (changes: readonly MirrorChange[], _: number, origin: MirrorOrigin): void => {
      said.push(`${origin} ${changes[0]!.key}`);
      if (said.length === 1) server.stop();
    };
    const m = mirrored(server, { pageSize: 1, onBatch });
    await m.settle();
    expect(said).toEqual(['list p/a']);
    server.start();
    await kv.delete('p/a');
    await m.settle(15_000);
    expect(said).toEqual(['list p/a', 'list p/b', 'list p/c', 'sweep p/a']);
    m.stop.abort();
  });

  it('moves on by progress while nothing changes', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    await kv.put('p/a', '1');
    const synced: number[] = [];
    const m = mirrored(server, { onSynced: (revision) => void synced.push(revision) });
    await m.settle();
    await kv.put('q/a', '1');
    server.progress();
    await m.settle();
    server.disconnect();
    await m.settle(500);
    expect(synced).toEqual([2, 3]);
    m.stop.abort();
  });

  it('ends with what a callback throws', async () => {
    const server = new MemoryKvServer();
    await server.connect().put('p/a', '1');
    const broken = new Error('consumer');
    const fail = (): never => {
      throw broken;
    };
    await expect(mirrored(server, { onBatch: fail }).done).rejects.toBe(broken);
    await expect(mirrored(server, { onSynced: fail }).done).rejects.toBe(broken);
  });

  it('converges whatever happens, in whatever order', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('put' as const),
          key: fc.integer({ min: 0, max: 5 }),
        }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 5 }) }) },
      {
        weight: 5,
        arbitrary: fc.constantFrom(
          { do: 'settle' as const },
          { do: 'disconnect' as const },
          { do: 'compact' as const },
          { do: 'turn' as const },
        ),
      },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          { do: 'snapshot' as const },
          { do: 'restore' as const },
          { do: 'wipe' as const },
          { do: 'other' as const },
        ),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (steps, pageSize) => {
        const server = new MemoryKvServer();
        const kv = server.connect();
        const m = mirrored(server, { pageSize });
        let snapshot = server.snapshot();
        let serial = 0; // no two writes are the same: a copy that relived them to the byte would be the same history
        for (const s of steps) {
          if (s.do === 'put') await kv.put(`p/${s.key}`, String(serial++));
          else if (s.do === 'delete') await kv.delete(`p/${s.key}`);
          else if (s.do === 'disconnect') server.disconnect();
          else if (s.do === 'compact') await server.compact(server.revision);
          else if (s.do === 'snapshot') snapshot = server.snapshot();
          else if (s.do === 'restore') server.restore(snapshot);
          else if (s.do === 'wipe') server.wipe();
          else if (s.do === 'other') for (let i = 0; i < 3; i++) await kv.put('q/x', '');
          else if (s.do === 'turn') await turn();
          else await m.settle(20_000);
        }
        await m.settle(60_000);
        m.stop.abort();
        await m.done;
        expect(m.state).toEqual(contents(server));
      }),
      { numRuns: 300 },
    );
  });
});
