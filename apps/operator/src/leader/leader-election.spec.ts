import { type Log, ManualClock, seededRandom } from '@isthmus/core';
import { KV_LEASE_LOST, MemoryKvServer } from '@isthmus/kvstore';
import { OPERATOR_NOT_LEADER } from '../operator.errors.ts';
import { FencedKv } from './fenced-kv.ts';
import { LeaderElection, type LeaderTerm } from './leader-election.ts';
import { LEADER_KEY } from './leader-seat.ts';

const SILENT: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function cluster() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock, random: seededRandom(3) });
  /** Lets everybody work while time passes, in steps small enough for renewals. */
  const pass = async (ms: number): Promise<void> => {
    const steps = Math.max(40, ms / 1_000);
    for (let i = 0; i < steps; i++) {
      clock.advance(ms / steps);
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const stops: (() => Promise<void>)[] = [];
  const candidate = (name: string) => {
    const kv = server.connect();
    const stop = new AbortController();
    const terms: LeaderTerm[] = [];
    let leading = 0;
    const election = new LeaderElection({
      kv,
      clock,
      random: seededRandom(name.length),
      candidate: name,
      leaseSeconds: 15,
      log: SILENT,
      onLeader: (leads) => {
        leading += leads ? 1 : -1;
      },
    });
    const done = election.run(async (term) => {
      terms.push(term);
      await new Promise((resolve) => term.signal.addEventListener('abort', resolve, { once: true }));
    }, stop.signal);
    const end = async (): Promise<void> => {
      stop.abort();
      await done;
    };
    stops.push(end);
    return { kv, terms, end, election, leads: () => leading === 1 };
  };
  const endAll = async (): Promise<void> => {
    await Promise.all(stops.map((end) => end()));
  };
  return { server, clock, pass, candidate, endAll };
}

describe('LeaderElection', () => {
  it('has one leader, who stays', async () => {
    const { pass, candidate, endAll, server } = cluster();
    const [a, b] = [candidate('a'), candidate('bb')];
    await pass(5_000);
    expect([a.leads(), b.leads()].filter(Boolean)).toHaveLength(1);
    const leader = a.leads() ? a : b;
    await pass(10 * 60_000);
    expect(leader.leads()).toBe(true);
    expect(leader.terms).toHaveLength(1);
    expect(leader.terms[0]!.signal.aborted).toBe(false);
    expect(JSON.parse(Buffer.from((await leader.kv.get(LEADER_KEY))!.value).toString()).holder).toBe(a.leads() ? 'a' : 'bb');
    await endAll();
    expect(server.watchCount).toBe(0);
  });

  it('hands over at once when the leader stops', async () => {
    const { pass, candidate, endAll } = cluster();
    const a = candidate('a');
    await pass(2_000);
    const b = candidate('b');
    await pass(2_000);
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    await a.end();
    await pass(1_000);
    expect([a.leads(), b.leads()]).toEqual([false, true]);
    await endAll();
  });

  it('replaces a leader that falls silent, and only after that one has stopped', async () => {
    const { server, pass, candidate, endAll } = cluster();
    const a = candidate('a');
    await pass(2_000);
    const b = candidate('b');
    await pass(2_000);
    const renew = server.leases.renew.bind(server.leases);
    server.leases.renew = () => {
      throw new Error('no renewal gets through');
    };
    let both = false;
    for (let i = 0; i < 30 && !b.leads(); i++) {
      if (a.terms[0]!.signal.aborted) server.leases.renew = renew;
      await pass(1_000);
      both ||= a.leads() && b.leads();
    }
    expect(both).toBe(false);
    expect(a.terms[0]!.signal.reason).toMatchObject({ code: KV_LEASE_LOST.code });
    expect(b.leads()).toBe(true);
    await endAll();
  });

  it('stops leading when its key is taken away', async () => {
    const { server, pass, candidate, endAll } = cluster();
    const a = candidate('a');
    await pass(2_000);
    const [first] = a.terms;
    await server.connect().delete(LEADER_KEY);
    await pass(10_000);
    expect(first!.signal.reason).toMatchObject({ code: OPERATOR_NOT_LEADER.code });
    expect(a.terms).toHaveLength(2);
    expect(a.leads()).toBe(true);
    await endAll();
  });

  it('stands again after the store was away', async () => {
    const { server, pass, candidate, endAll } = cluster();
    const a = candidate('a');
    await pass(2_000);
    server.stop();
    await pass(60_000);
    expect([a.leads(), a.election.connected]).toEqual([false, false]);
    server.start();
    await pass(60_000);
    expect([a.leads(), a.election.connected]).toEqual([true, true]);
    await endAll();
  });
});

describe('FencedKv', () => {
  async function fenced() {
    const server = new MemoryKvServer();
    const kv = server.connect();
    const { revision } = await kv.put(LEADER_KEY, 'me');
    const stop = new AbortController();
    return { kv, stop, store: new FencedKv(kv, { revision, signal: stop.signal }) };
  }

  it('writes as the store does while the term lasts', async () => {
    const { kv, store } = await fenced();
    await store.put('k', '1');
    const { succeeded, results } = await store.txn({
      compare: [{ key: 'k', value: '2' }],
      success: [],
      failure: [{ type: 'get', key: 'k' }],
    });
    expect([succeeded, results.length]).toEqual([false, 1]);
    expect((await store.delete('k')).deleted).toBe(1);
    await store.put('p/1', '');
    await store.put('p/2', '');
    expect((await store.deletePrefix('p/')).deleted).toBe(2);
    expect(await kv.get('k')).toBeUndefined();
  });

  it('refuses every write once somebody else leads, before this one has heard of it', async () => {
    const { kv, store } = await fenced();
    await kv.put(LEADER_KEY, 'somebody else');
    const refused = { code: OPERATOR_NOT_LEADER.code };
    await expect(store.put('k', '1')).rejects.toMatchObject(refused);
    await expect(store.delete('k')).rejects.toMatchObject(refused);
    await expect(store.deletePrefix('k')).rejects.toMatchObject(refused);
    await expect(store.txn({ success: [{ type: 'put', key: 'k', value: '' }] })).rejects.toMatchObject(refused);
    expect(await kv.get('k')).toBeUndefined();
  });

  it('writes nothing after the term was ended here', async () => {
    const { kv, stop, store } = await fenced();
    stop.abort(new Error('lost'));
    await expect(store.put('k', '1')).rejects.toMatchObject({ code: OPERATOR_NOT_LEADER.code });
    expect(await kv.get('k')).toBeUndefined();
  });

  it('says of a write that was under way when the term ended that it leads no more', async () => {
    const { kv, stop, store } = await fenced();
    kv.txn = (_, { signal } = {}) => new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
    const write = store.put('k', '1');
    stop.abort(new Error('the process stops'));
    await expect(write).rejects.toMatchObject({ code: OPERATOR_NOT_LEADER.code });
  });
});
