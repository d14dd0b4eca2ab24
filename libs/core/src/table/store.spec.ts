import fc from 'fast-check';
import { ManualClock } from '../clock.ts';
import { input } from './derivation.ts';
import { Feed } from './feed.ts';
import { LOCAL_SCOPE } from './scopes.ts';
import { Store } from './store.ts';

interface Pod {
  ip: string;
  label: string;
}

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const operation = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key: keys, ip: fc.constantFrom('1', '2', '3'), label: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constant('delete' as const), key: keys }),
  fc.record({ kind: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 3 }) }),
);

function podStore(maxTombstones?: number) {
  const store = new Store(new ManualClock());
  const pods = store.table<Pod>('pods', maxTombstones === undefined ? {} : { maxTombstones });
  return { store, pods };
}

describe('Store', () => {
  it('counts one revision per commit and none for an equal row', () => {
    const { store, pods } = podStore();
    pods.put('a', { ip: '1', label: 'x' });
    pods.put('a', { ip: '1', label: 'x' });
    expect(store.revision).toBe(1);
    store.transact(() => {
      pods.put('a', { ip: '2', label: 'x' });
      pods.put('b', { ip: '3', label: 'x' });
    });
    expect(store.revision).toBe(2);
    expect([pods.table.revisionOf('a'), pods.table.revisionOf('b')]).toEqual([2, 2]);
  });

  it('commits nothing of a transaction that throws', () => {
    const { store, pods } = podStore();
    expect(() =>
      store.transact(() => {
        pods.put('a', { ip: '1', label: 'x' });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([store.revision, pods.table.size]).toEqual([0, 0]);
  });

  it('shows readers no half of a commit', () => {
    const { store, pods } = podStore();
    const byIp = store.derive<string>({
      name: 'owners',
      inputs: [input(pods.table, (_key, row, before) => [row?.ip, before?.ip].filter((ip) => ip !== undefined))],
      compute: (ip) => [...pods.table.rows()].find(([, row]) => row.ip === ip)?.[0],
    });
    const seen: [number, number][] = [];
    store.changed.listen(() => seen.push([pods.table.size, byIp.size]));
    store.transact(() => {
      pods.put('a', { ip: '1', label: 'x' });
      pods.put('b', { ip: '2', label: 'x' });
    });
    expect(seen).toEqual([[2, 2]]);
    expect(byIp.revisionOf('2')).toBe(pods.table.revisionOf('b'));
  });

  it('refuses a second table of the same name, and writes from a derivation', () => {
    const { store, pods } = podStore();
    expect(() => store.table('pods')).toThrow('declared twice');
    store.derive({
      name: 'bad',
      inputs: [input(pods.table, (key) => [key])],
      compute: (key) => {
        pods.delete(key);
        return 1;
      },
    });
    expect(() => pods.put('a', { ip: '1', label: 'x' })).toThrow('must not write');
  });

  it('keeps the last row and reports when a derivation throws', () => {
    const faults: unknown[] = [];
    const store = new Store(new ManualClock(), { onFault: (fault) => faults.push(fault.key) });
    const numbers = store.table<number>('numbers');
    const halves = store.derive<number>({
      name: 'halves',
      inputs: [input(numbers.table, (key) => [key])],
      compute: (key) => {
        const n = numbers.table.get(key);
        if (n === 13) throw new Error('unlucky');
        return n === undefined ? undefined : n / 2;
      },
    });
    numbers.put('a', 12);
    numbers.put('a', 13);
    expect([halves.get('a'), faults]).toEqual([6, ['a']]);
  });

  it('wakes a derivation at the instant it asked for', () => {
    const clock = new ManualClock();
    const store = new Store(clock);
    const seen = store.table<number>('seen');
    const stale = store.derive<boolean>({
      name: 'stale',
      inputs: [input(seen.table, (key) => [key])],
      compute: (key, context) => {
        const at = seen.table.get(key);
        if (at === undefined) return undefined;
        if (context.now() < at + 100) context.wakeAt(at + 100);
        return context.now() >= at + 100;
      },
    });
    seen.put('a', 0);
    clock.advance(99);
    expect(stale.get('a')).toBe(false);
    clock.advance(1);
    expect(stale.get('a')).toBe(true);
  });

  it('derives what recomputing from nothing would give (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 30 }), (commits) => {
        const { store, pods } = podStore();
        const byLabel = pods.table.index('label', (row) => [row.label]);
        const counts = store.derive<number>({
          name: 'counts',
          inputs: [input(pods.table, (_k, row, before) => [row?.label, before?.label].filter((l) => l !== undefined))],
          compute: (label) => byLabel.get(label).size || undefined,
        });
        const doubled = store.derive<number>({
          name: 'doubled',
          inputs: [input(counts, (key) => [key])],
          compute: (label) => (counts.get(label) === undefined ? undefined : (counts.get(label) as number) * 2),
        });
        for (const commit of commits)
          store.transact(() => {
            for (const op of commit)
              if (op.kind === 'put') pods.put(op.key, { ip: op.ip, label: op.label });
              else if (op.kind === 'delete') pods.delete(op.key);
          });
        const oracle = new Map<string, number>();
        for (const [, row] of pods.table.rows()) oracle.set(row.label, (oracle.get(row.label) ?? 0) + 1);
        expect(new Map(counts.rows())).toEqual(oracle);
        expect(new Map(doubled.rows())).toEqual(new Map([...oracle].map(([k, n]) => [k, n * 2])));
      }),
    );
  });

  it('calls a derived scope synced when every input is', () => {
    const { store, pods } = podStore();
    const nodes = store.table<number>('nodes');
    const both = store.derive({ name: 'both', inputs: [input(pods.table, (k) => [k]), input(nodes.table, (k) => [k])], compute: () => 1 });
    pods.declare('east');
    pods.scopesKnown();
    nodes.synced('east');
    expect(both.scopes.isSynced('east')).toBe(false);
    pods.synced('east');
    expect(both.scopes.isSynced('east')).toBe(true);
    expect(both.scopes.isSynced(LOCAL_SCOPE)).toBe(false);
    nodes.scopesKnown();
    expect(both.scopes.isSynced('never-configured')).toBe(true);
  });
});

describe('Feed', () => {
  it('coalesces by key: a slow reader sees only the latest', () => {
    const { pods } = podStore();
    const feed = new Feed(pods.table);
    for (let i = 0; i < 1000; i++) pods.put('a', { ip: String(i), label: 'x' });
    expect(feed.next().changes).toEqual([{ key: 'a', row: { ip: '999', label: 'x' }, revision: 1000 }]);
    expect(feed.pending).toBe(false);
  });

  it('lists again when it missed deletes', () => {
    const { pods } = podStore(2);
    const feed = new Feed(pods.table);
    for (const key of ['a', 'b', 'c', 'd', 'e']) pods.put(key, { ip: '1', label: 'x' });
    expect(feed.next().relist).toBe(true);
    for (const key of ['a', 'b', 'c', 'd']) pods.delete(key);
    const batch = feed.next();
    expect(batch.relist).toBe(true);
    expect(batch.changes.filter((c) => c.row !== undefined).map((c) => c.key)).toEqual(['e']);
    expect(feed.next().relist).toBe(false);
  });

  it('brings a replica to the table whatever the interleaving (property)', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), (ops, maxTombstones) => {
        const { pods } = podStore(maxTombstones);
        const feed = new Feed(pods.table);
        let replica = new Map<string, Pod>();
        const read = (limit: number) => {
          const batch = feed.next(limit);
          if (batch.relist) replica = new Map();
          for (const { key, row } of batch.changes) row === undefined ? replica.delete(key) : replica.set(key, row);
          return batch.caughtUp;
        };
        for (const op of ops)
          if (op.kind === 'put') pods.put(op.key, { ip: op.ip, label: op.label });
          else if (op.kind === 'delete') pods.delete(op.key);
          else read(op.limit);
        while (!read(2));
        expect(replica).toEqual(new Map(pods.table.rows()));
      }),
      { numRuns: 300 },
    );
  });
});
