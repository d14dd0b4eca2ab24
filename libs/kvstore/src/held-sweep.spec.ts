import { ManualClock } from '@isthmus/core';
import { holdSweeps } from './held-sweep.ts';
import type { MirrorChange, RelistReason } from './mirror.ts';

const put = (name: string): MirrorChange => ({ key: `p/${name}`, name, value: new Uint8Array(1), revision: 1 });
const gone = (name: string): MirrorChange => ({ ...put(name), value: undefined });

function start() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const told: string[] = [];
  const handlers = holdSweeps(
    {
      onBatch: (changes) => void told.push(...changes.map(({ name, value }) => `${value ? '+' : '-'}${name}`)),
      onSynced: () => void told.push('synced'),
      onRelist: (reason) => void told.push(reason),
    },
    { clock, signal: stop.signal },
  );
  const relist = (reason: RelistReason, found: string[], missing: string[]): void => {
    handlers.onRelist(reason);
    if (found.length > 0) handlers.onBatch(found.map(put), 1, 'list');
    if (missing.length > 0) handlers.onBatch(missing.map(gone), 1, 'sweep');
    handlers.onSynced(1);
  };
  return { clock, stop, told, handlers, relist, take: () => told.splice(0) };
}

describe('holdSweeps', () => {
  it.each(['other-cluster', 'went-back', 'rewritten', 'unproven'] as const)(
    'keeps what a store that is %s lost, until it is due',
    (reason) => {
      const { clock, relist, take } = start();
      relist(reason, ['a'], ['b', 'c']);
      expect(take()).toEqual([reason, '+a', 'synced']);
      clock.advance(19_999);
      expect(take()).toEqual([]);
      clock.advance(1);
      expect(take()).toEqual(['-b', '-c']);
      clock.advance(60_000);
      expect(take()).toEqual([]);
    },
  );

  it('lets go of what was written again, or deleted by somebody, meanwhile', () => {
    const { clock, handlers, relist, take } = start();
    relist('other-cluster', [], ['a', 'b', 'c']);
    handlers.onBatch([put('a')], 2, 'watch');
    handlers.onBatch([gone('b')], 3, 'watch');
    take();
    clock.advance(20_000);
    expect(take()).toEqual(['-c']);
  });

  it('deletes at once what is gone from a store that kept its history', () => {
    const { relist, handlers, take } = start();
    relist('compacted', ['a'], ['b']);
    expect(take()).toEqual(['compacted', '+a', '-b', 'synced']);
    handlers.onBatch([gone('a')], 2, 'watch');
    expect(take()).toEqual(['-a']);
    relist('unproven', ['a'], []);
    take();
    relist('compacted', [], ['a']);
    expect(take()).toEqual(['compacted', '-a', 'synced']);
  });

  it('begins anew when the store is lost again', () => {
    const { clock, relist, take } = start();
    relist('other-cluster', [], ['a']);
    clock.advance(15_000);
    relist('other-cluster', [], ['b']);
    take();
    clock.advance(15_000);
    expect(take()).toEqual([]);
    clock.advance(5_000);
    expect(take()).toEqual(['-a', '-b']);
  });

  it('changes nothing when it was stopped', () => {
    const { clock, relist, stop, take } = start();
    relist('other-cluster', [], ['a']);
    take();
    stop.abort();
    clock.advance(60_000);
    expect(take()).toEqual([]);
  });
});
