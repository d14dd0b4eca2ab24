import fc from 'fast-check';
import { ManualClock } from '../clock.ts';
import { seededRandom } from '../random.ts';
import { Store } from '../table/store.ts';
import type { Sink } from './sink.ts';
import type { SinkTrouble } from './sink-failures.ts';
import { SinkGroup } from './sink-group.ts';
import type { SinkFailures, SinkRow, SinkTarget } from './sink-target.ts';

interface Item {
  scope: string;
  value: number;
}

/** An outside world that logs, fails on demand and lets itself be inspected. */
class World implements SinkTarget<Item> {
  readonly there = new Map<string, Item>();
  readonly broken = new Set<string>();
  readonly log: string[];
  readonly name: string;

  constructor(name: string, log: string[] = []) {
    this.name = name;
    this.log = log;
  }

  update(rows: readonly SinkRow<Item>[]): SinkFailures {
    const failures = new Map<string, unknown>();
    for (const { key, row } of rows) {
      if (this.broken.has(key)) failures.set(key, new Error(`${key} is full`));
      else this.there.set(key, row);
      this.log.push(`${this.name}+${key}`);
    }
    return failures;
  }

  delete(keys: readonly string[]): SinkFailures {
    for (const key of keys) {
      this.there.delete(key);
      this.log.push(`${this.name}-${key}`);
    }
    return new Map();
  }

  *entries() {
    yield [...this.there].map(([key, item]) => ({ key, scope: item.scope }));
  }
}

function world(names: readonly string[] = ['w']) {
  const clock = new ManualClock();
  const store = new Store(clock);
  const reports: unknown[] = [];
  const report = (sink: string, trouble: SinkTrouble) => reports.push({ sink, trouble });
  const group = new SinkGroup(store, clock, seededRandom(1), () => Promise.resolve(), report);
  const log: string[] = [];
  const worlds = names.map((name) => new World(name, log));
  const tables = names.map((name) => store.table<Item>(name));
  const sinks: Sink<Item>[] = [];
  names.forEach((name, i) => {
    sinks.push(
      group.add<Item>({ name, table: tables[i]!.table, target: worlds[i]!, after: sinks.slice(-1) as unknown as Sink<unknown>[] }),
    );
  });
  const settle = async () => {
    for (;;) {
      let moved = false;
      for (const sink of sinks) moved = (await sink.step()) || moved;
      if (!moved) return;
    }
  };
  return { clock, store, group, worlds, tables, sinks, settle, log, reports };
}

const item = (value: number, scope = 'local'): Item => ({ scope, value });

describe('Sink', () => {
  it('applies rows and deletes', async () => {
    const { worlds, tables, settle } = world();
    tables[0]!.put('a', item(1));
    tables[0]!.put('b', item(2));
    await settle();
    tables[0]!.delete('a');
    await settle();
    expect([...worlds[0]!.there.keys()]).toEqual(['b']);
  });

  it('loses no row of a commit that is larger than a batch, however the one before it is timed', async () => {
    const { worlds, tables, sinks, settle, store } = world(['peers', 'ips']);
    await settle();
    store.transact(() => {
      tables[0]!.put('p', item(0));
      for (let i = 0; i < 3000; i++) tables[1]!.put(`${i}`, item(i));
    });
    // The later one looks first, while the other one has not begun.
    await sinks[1]!.step();
    expect(worlds[1]!.there.size).toBe(0);
    await settle();
    expect(worlds[1]!.there.size).toBe(3000);
  });

  it('retries a failed row alone, with backoff, and shows it meanwhile', async () => {
    const { worlds, tables, sinks, settle, clock } = world();
    worlds[0]!.broken.add('a');
    tables[0]!.put('a', item(1));
    tables[0]!.put('b', item(2));
    await settle();
    expect([...worlds[0]!.there.keys()]).toEqual(['b']);
    expect(sinks[0]!.status.get('a')).toMatchObject({ wanted: 'present', error: 'a is full', attempts: 1 });
    worlds[0]!.broken.clear();
    clock.advance(100);
    await settle();
    expect([...worlds[0]!.there.keys()]).toEqual(['b', 'a']);
    expect(sinks[0]!.status.size).toBe(0);
  });

  it('says when rows fail for longer than one attempt, once, and when none does any more', async () => {
    const { worlds, tables, settle, clock, reports } = world();
    worlds[0]!.broken.add('a').add('b');
    tables[0]!.put('a', item(1));
    tables[0]!.put('b', item(2));
    await settle();
    expect(reports).toEqual([]);
    clock.advance(60_000);
    await settle();
    clock.advance(60_000);
    await settle();
    const said = [{ sink: 'w', trouble: { key: 'a', error: expect.objectContaining({ message: 'a is full' }) } }];
    expect(reports).toEqual(said);
    worlds[0]!.broken.clear();
    clock.advance(60_000);
    await settle();
    expect(reports).toEqual([...said, { sink: 'w', trouble: 'over' }]);
  });

  it('tries failed rows again at once when something else goes, as many as went', async () => {
    const { worlds, tables, sinks, settle } = world();
    tables[0]!.put('x', item(0));
    await settle();
    for (const key of ['a', 'b']) worlds[0]!.broken.add(key);
    for (const key of ['a', 'b']) tables[0]!.put(key, item(1));
    await settle();
    worlds[0]!.broken.clear();
    tables[0]!.delete('x');
    await settle();
    expect([...worlds[0]!.there.keys()]).toEqual(['a']);
    expect([...sinks[0]!.status.rows()].map(([key]) => key)).toEqual(['b']);
  });

  it('prunes what no row wants, only in synced scopes', async () => {
    const { worlds, tables, settle } = world();
    const before = worlds[0]!.there;
    before.set('mine', item(0)).set('east-old', item(0, 'east')).set('west-old', item(0, 'west')).set('gone-old', item(0, 'gone'));
    tables[0]!.declare('east');
    tables[0]!.declare('west');
    tables[0]!.declare('local');
    tables[0]!.put('mine', item(1));
    await settle();
    expect(before.size).toBe(4);
    tables[0]!.synced('local');
    tables[0]!.synced('east');
    await settle();
    expect([...before.keys()]).toEqual(['mine', 'west-old', 'gone-old']);
    tables[0]!.scopesKnown();
    await settle();
    expect([...before.keys()]).toEqual(['mine', 'west-old']);
  });

  it('applies nothing before the scope that it waits for is synced', async () => {
    const { group, store } = world();
    const table = store.table<Item>('late');
    const target = new World('late');
    target.there.set('kept', item(7));
    const sink = group.add<Item>({ name: 'late', table: table.table, target, startWhenSynced: 'local' });
    table.put('kept', item(0));
    expect(await sink.step()).toBe(false);
    expect(target.there.get('kept')).toEqual(item(7));
    table.synced('local');
    expect(await sink.step()).toBe(true);
    expect(target.there.get('kept')).toEqual(item(0));
  });

  it('lists what is there again only for scopes of which it saw something unwanted', async () => {
    const { worlds, tables, sinks, settle, store } = world();
    const [target, table] = [worlds[0]!, tables[0]!];
    let listings = 0;
    const list = target.entries.bind(target);
    target.entries = () => {
      listings++;
      return list();
    };
    for (const scope of ['local', 'old', 'new']) table.declare(scope);
    target.there.set('left', item(0, 'old'));
    await settle();
    expect([listings, target.there.has('left')]).toEqual([1, true]);
    table.put('a', item(1, 'new'));
    table.synced('new');
    await settle();
    expect(listings).toBe(1);
    table.synced('old');
    await settle();
    expect([listings, [...target.there.keys()]]).toEqual([2, ['a']]);
    // Another hand wrote it: only whoever says so has it looked for.
    target.there.set('foreign', item(0, 'new'));
    table.synced('local');
    await settle();
    expect([listings, sinks[0]!.doneRevision]).toEqual([2, store.revision]);
    sinks[0]!.redo();
    await settle();
    expect([listings, [...target.there.keys()]]).toEqual([3, ['a']]);
  });

  it('prunes later what it could not list at first', async () => {
    const { worlds, tables, sinks, settle, clock } = world();
    worlds[0]!.there.set('old', item(0));
    const list = worlds[0]!.entries.bind(worlds[0]);
    worlds[0]!.entries = () => {
      throw new Error('not reachable');
    };
    tables[0]!.synced('local');
    await settle();
    expect([...sinks[0]!.status.rows()].map(([, row]) => row.error)).toEqual(['not reachable']);
    worlds[0]!.entries = list;
    clock.advance(100);
    await settle();
    expect(worlds[0]!.there.size).toBe(0);
    expect(sinks[0]!.status.size).toBe(0);
  });

  it('updates in order, deletes and prunes in reverse', async () => {
    const { worlds, tables, settle, log } = world(['backends', 'services']);
    worlds[0]!.there.set('old', item(0));
    worlds[1]!.there.set('old', item(0));
    for (const table of tables) table.declare('local');
    tables[1]!.put('s', item(1));
    tables[0]!.put('b', item(1));
    await settle();
    tables[0]!.delete('b');
    tables[1]!.delete('s');
    await settle();
    expect(log).toEqual(['backends+b', 'services+s', 'services-s', 'backends-b']);
    log.length = 0;
    for (const table of tables) table.synced('local');
    await settle();
    expect(log).toEqual(['services-old', 'backends-old']);
  });

  it('keeps that order when a prune finds what is about to be deleted', async () => {
    const { tables, settle, log, sinks, store } = world(['records', 'marks', 'clusters']);
    tables.forEach((table) => {
      table.declare('local');
      table.put('x', item(1));
    });
    await settle();
    log.length = 0;
    store.transact(() => {
      for (const table of tables) table.delete('x');
    });
    tables[1]!.synced('local');
    // The middle one looks at everything before the last one has let go.
    for (const sink of [sinks[0]!, sinks[1]!, sinks[0]!, sinks[1]!, sinks[0]!]) await sink.step();
    await settle();
    expect(log).toEqual(['clusters-x', 'marks-x', 'records-x']);
  });

  it('does not write a row that became newer than what those before it have done', async () => {
    const { worlds, tables, sinks, store, settle } = world(['peers', 'addresses']);
    const [peers, addresses] = sinks;
    tables[1]!.put('ip', item(1));
    await addresses!.step();
    await peers!.step();
    store.transact(() => {
      tables[0]!.put('peer', item(2));
      tables[1]!.put('ip', item(2));
    });
    await addresses!.step();
    expect(worlds[1]!.there.get('ip')?.value).not.toBe(2);
    await settle();
    expect([worlds[0]!.there.get('peer')?.value, worlds[1]!.there.get('ip')?.value]).toEqual([2, 2]);
  });

  it('waits for a revision, and for a failing row to succeed', async () => {
    const { worlds, tables, sinks, settle, clock, store } = world();
    worlds[0]!.broken.add('a');
    tables[0]!.put('a', item(1));
    let settled = false;
    const waiting = sinks[0]!.settled('a', store.revision).then(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);
    worlds[0]!.broken.clear();
    clock.advance(100);
    await settle();
    await waiting;
    expect(settled).toBe(true);
  });

  it('does everything once more when the outside was replaced', async () => {
    const { worlds, tables, sinks, settle, store, clock } = world();
    tables[0]!.put('a', item(1));
    tables[0]!.synced('local');
    await settle();
    worlds[0]!.there.clear();
    worlds[0]!.there.set('foreign', item(0));
    sinks[0]!.redo();
    expect(sinks[0]!.doneRevision).toBeLessThan(1);
    let flushed = false;
    const waiting = sinks[0]!
      .flushed(store.revision, () => true)
      .then(() => {
        flushed = true;
      });
    worlds[0]!.broken.add('a');
    await settle();
    expect(flushed).toBe(false);
    worlds[0]!.broken.clear();
    clock.advance(30_000);
    await settle();
    await waiting;
    expect([...worlds[0]!.there.keys()]).toEqual(['a']);
  });

  it('leaves everything as it is when it stops, and runs by itself until then', async () => {
    const { worlds, tables, group, store } = world();
    const stop = new AbortController();
    const running = group.run(stop.signal);
    tables[0]!.put('a', item(1));
    tables[0]!.synced('local');
    await group.done(store.revision);
    stop.abort();
    await running;
    expect([...worlds[0]!.there.keys()]).toEqual(['a']);
  });

  it('makes the outside equal to the table whatever happens in between (property)', async () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key: keys, value: fc.nat(5) }),
      fc.record({ kind: fc.constant('delete' as const), key: keys }),
      fc.record({ kind: fc.constant('break' as const), key: keys }),
      fc.record({ kind: fc.constant('mend' as const) }),
      fc.record({ kind: fc.constant('step' as const), sink: fc.nat(2) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { worlds, tables, sinks, settle, clock } = world(['one', 'two', 'three']);
        for (const each of worlds) each.there.set('leftover', item(9));
        for (const s of steps) {
          if (s.kind === 'put') for (const table of tables) table.put(s.key, item(s.value));
          else if (s.kind === 'delete') for (const table of tables) table.delete(s.key);
          else if (s.kind === 'break') worlds[1]!.broken.add(s.key);
          else if (s.kind === 'mend') worlds[1]!.broken.clear();
          else await sinks[s.sink]!.step();
        }
        worlds[1]!.broken.clear();
        for (const table of tables) table.synced('local');
        for (let i = 0; i < 12; i++) {
          await settle();
          clock.advance(30_000);
        }
        await settle();
        worlds.forEach((each, i) => {
          expect(each.there).toEqual(new Map(tables[i]!.table.rows()));
        });
      }),
      { numRuns: 200 },
    );
  });
});
