import { type Log, ManualClock, seededRandom } from '@isthmus/core';
import { byCluster, newTarget, WIREGUARD_LEFT_BEHIND, WIREGUARD_ROTATION_BLOCKED, WIREGUARD_ROTATION_WAITS } from '@isthmus/crypto';
import { MemoryKvServer } from '@isthmus/kvstore';
import { encodeWireGuard, KvWireGuardTargets, TARGET_HISTORY_KEY, WIREGUARD_TARGET, wireGuardKey, wireGuardTargetKey } from '@isthmus/mesh';
import { CILIUM_NODE, type WireGuardRow, type WireGuardTargetRow } from '@isthmus/model';
import { leaderBench } from '../testing/leader-bench.ts';
import { RotationDuty } from './rotation-duty.ts';
import { ownInterval, scheduleStep } from './rotation-schedule.ts';

const HOUR = 3_600_000;
/** Default of wireguard-follow-interval. */
const FOLLOW = 600_000;

/** What a node with keys of an epoch publishes. */
const record = (name: string, epoch: number, more: Partial<WireGuardRow> = {}): string => {
  const epochs = [{ epoch, publicKey: Buffer.alloc(32, 1).toString('base64'), port: 51_871 + (epoch % 2) }];
  return encodeWireGuard({ cluster: 'east', clusterId: 1, name, epochs, minTx: epoch, laggards: [], ...more });
};

/** Nodes with an operator's duty each look; they publish what the spec says. */
function bench(rotationMs = HOUR, maxOverlapMs = 2 * HOUR) {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock, random: seededRandom(1) });
  const kv = server.connect();
  const targets = new KvWireGuardTargets(kv, 'east');
  const nodes = ['n1', 'n2'];
  const said: string[] = [];
  const note = (fields: object): void => void said.push(JSON.stringify(fields));
  const log: Log = { debug: note, info: () => undefined, warn: note, error: note };
  const duty = (own = targets) =>
    new RotationDuty({
      targets: own,
      cluster: 'east',
      clusterId: 1,
      rotationMs,
      maxOverlapMs,
      followMs: FOLLOW,
      nodes: () => nodes,
      clock,
      log,
    });
  const publish = async (epoch: number, ...names: string[]): Promise<void> => {
    for (const name of names) await kv.put(wireGuardKey('east', name), record(name, epoch));
  };
  const target = async (): Promise<number | undefined> => (await targets.read())?.target;
  return { clock, kv, server, targets, nodes, said, duty, publish, target };
}

/** Longer than any cluster's interval of an hour. */
const PAST = 66 * 60_000;

describe('the schedule', () => {
  const own = { cluster: 'east', clusterId: 1, target: 4, startedAt: '', by: '', reason: '' };
  const at = (epoch: number) =>
    new Map([
      ['n1', epoch],
      ['n2', epoch],
    ]);
  const view = { own, nodes: ['n1', 'n2'], epochs: at(4), blockedBy: [], wanted: [], history: [], now: 100 * HOUR, lastedMs: HOUR };
  const hourly = { intervalMs: HOUR, maxOverlapMs: 2 * HOUR, followMs: FOLLOW };
  const never = { ...hourly, intervalMs: 0 };

  it('begins with 1, or with what nodes have had before the etcd was wiped', () => {
    expect(scheduleStep({ ...view, own: undefined, epochs: new Map() }, never)).toEqual({
      do: 'raise',
      target: 1,
      by: 'operator',
      reason: 'first target',
      left: [],
    });
    expect(scheduleStep({ ...view, own: undefined, epochs: at(9) }, never)).toMatchObject({ target: 9 });
  });

  it('goes one further when it is time, above what other clusters have raised to', () => {
    expect(scheduleStep(view, hourly)).toEqual({ do: 'raise', target: 5, by: 'operator', reason: 'schedule', left: [] });
    expect(scheduleStep({ ...view, epochs: at(6) }, hourly)).toMatchObject({ target: 7 });
    expect(scheduleStep({ ...view, lastedMs: HOUR - 1 }, hourly)).toEqual({ do: 'wait' });
    expect(scheduleStep(view, never)).toEqual({ do: 'wait' });
  });

  it('waits for nodes, also for one that has no key at all', () => {
    const behind = { ...view, epochs: new Map([...at(4), ['n2', 3]]) };
    expect(scheduleStep(behind, hourly)).toEqual({ do: 'hold', target: 4, behind: ['n2'] });
    expect(scheduleStep({ ...view, epochs: new Map([['n1', 6]]) }, hourly)).toEqual({ do: 'hold', target: 6, behind: ['n2'] });
  });

  it('leaves nodes behind when agents have done so, and have had time for it', () => {
    const behind = { ...view, epochs: new Map([['n1', 4]]) };
    expect(scheduleStep({ ...behind, lastedMs: 2 * HOUR + 29_999 }, hourly)).toMatchObject({ do: 'hold' });
    expect(scheduleStep({ ...behind, lastedMs: 2 * HOUR + 30_000 }, hourly)).toEqual({
      do: 'raise',
      target: 5,
      by: 'operator',
      reason: 'schedule',
      left: ['n2'],
    });
    expect(scheduleStep({ ...behind, lastedMs: 2 * HOUR + 30_000 }, { ...hourly, intervalMs: 24 * HOUR })).toEqual({ do: 'wait' });
  });

  it('leaves keys alone while there are nodes that know of no epochs, but for the first even ones', () => {
    const blocked = { ...view, blockedBy: ['cilium/n1'] };
    expect(scheduleStep(blocked, hourly)).toEqual({ do: 'leave', target: 4, blockedBy: ['cilium/n1'] });
    expect(scheduleStep({ ...blocked, lastedMs: 100 * HOUR, epochs: new Map() }, hourly)).toMatchObject({ do: 'leave' });
    expect(scheduleStep({ ...blocked, lastedMs: HOUR - 1 }, hourly)).toEqual({ do: 'wait' });
    const first = { ...blocked, own: { ...own, target: 1 }, epochs: at(1), lastedMs: 0 };
    expect(scheduleStep(first, never)).toEqual({ do: 'raise', target: 2, by: 'operator', reason: 'even keys for cilium/n1', left: [] });
  });

  describe('of a cluster that others are ahead of', () => {
    const wanted = [{ epoch: 5, cluster: 'west' }];
    const follows = { do: 'raise', target: 5, by: 'cluster west', reason: 'is at it', left: [] };
    const past = (count: number, agoMs: number) =>
      Array.from({ length: count }, () => ({ at: new Date(view.now - agoMs).toISOString(), by: 'cluster north' }));

    it('follows them at once, whatever its own interval, and whoever knows of no epochs', () => {
      expect(scheduleStep({ ...view, wanted, lastedMs: 0 }, never)).toEqual(follows);
      expect(scheduleStep({ ...view, wanted, lastedMs: 0, blockedBy: ['cilium/n1'] }, hourly)).toEqual(follows);
    });

    it('listens to nothing but the next one', () => {
      for (const epoch of [3, 4, 6, 0xffff_ffff])
        expect(scheduleStep({ ...view, wanted: [{ epoch, cluster: 'west' }] }, never)).toEqual({ do: 'wait' });
    });

    it('waits for its own nodes', () => {
      expect(scheduleStep({ ...view, wanted, epochs: new Map([['n1', 4]]) }, never)).toEqual({ do: 'hold', target: 4, behind: ['n2'] });
    });

    it('follows eight times in eight intervals, at any pace, be it one other cluster or many', () => {
      expect(scheduleStep({ ...view, wanted, history: past(7, 1_000) }, never)).toEqual(follows);
      expect(scheduleStep({ ...view, wanted, history: past(8, 1_000) }, never)).toEqual({ do: 'stay', target: 4, wanted: wanted[0] });
      expect(scheduleStep({ ...view, wanted, history: past(8, 8 * FOLLOW - 1) }, never)).toMatchObject({ do: 'stay' });
      expect(scheduleStep({ ...view, wanted, history: past(8, 8 * FOLLOW) }, never)).toEqual(follows);
      expect(scheduleStep({ ...view, wanted, history: [...past(7, 1_000), ...past(8, 8 * FOLLOW)] }, never)).toEqual(follows);
      expect(scheduleStep({ ...view, wanted, history: past(20, -1_000) }, never)).toEqual(follows);
      const own = past(20, 1_000).map((change) => ({ ...change, by: 'operator' }));
      expect(scheduleStep({ ...view, wanted, history: own }, never)).toEqual(follows);
    });

    it('keeps its own interval when they are not followed', () => {
      expect(scheduleStep({ ...view, wanted, history: past(8, 1_000) }, hourly)).toMatchObject({ do: 'raise', target: 5, by: 'operator' });
    });
  });

  it('differs between clusters, and is always the same for one', () => {
    const intervals = ['east', 'west', 'north'].map((cluster) => ownInterval(cluster, HOUR));
    expect(new Set(intervals).size).toBe(3);
    expect(intervals.every((ms) => ms >= HOUR && ms <= PAST)).toBe(true);
    expect(ownInterval('east', HOUR)).toBe(intervals[0]);
    expect(ownInterval('east', 0)).toBe(0);
  });
});

describe('the duty', () => {
  it('writes the first target, and raises it each interval', async () => {
    const b = bench();
    const duty = b.duty();
    await duty.pass();
    expect(await b.targets.read()).toEqual({
      cluster: 'east',
      clusterId: 1,
      target: 1,
      startedAt: '2026-01-01T00:00:00Z',
      by: 'operator',
      reason: 'first target',
    });
    await b.publish(1, 'n1', 'n2');
    b.clock.advance(HOUR - 1);
    await duty.pass();
    expect(await b.target()).toBe(1);
    b.clock.advance(PAST - HOUR + 1);
    await duty.pass();
    await duty.pass();
    expect(await b.target()).toBe(2);
    expect(await b.targets.history()).toEqual([
      { at: '2026-01-01T01:06:00Z', by: 'operator', target: 2, reason: 'schedule' },
      { at: '2026-01-01T00:00:00Z', by: 'operator', target: 1, reason: 'first target' },
    ]);
  });

  it('does not raise while a node is behind, says so once, and goes on', async () => {
    const b = bench();
    const duty = b.duty();
    await duty.pass();
    await b.publish(1, 'n1', 'gone');
    b.clock.advance(PAST);
    for (let i = 0; i < 3; i++) await duty.pass();
    expect(await b.target()).toBe(1);
    expect(b.said).toEqual([expect.stringContaining(`"code":"${WIREGUARD_ROTATION_WAITS.code}"`)]);
    expect(b.said[0]).toContain('n2: not at epoch 1 yet');
    await b.publish(1, 'n2');
    await duty.pass();
    expect(await b.target()).toBe(2);
  });

  it.each([1, 2])('is led no faster than it may be, and changes keys all the same (seed %i)', async (seed) => {
    const b = bench();
    const random = seededRandom(seed);
    let duty = b.duty();
    await duty.pass();
    const SPAN = 6 * HOUR;
    const changes: string[] = [];
    const began = b.clock.now();
    while (b.clock.now() - began < SPAN) {
      const at = (await b.target()) ?? 0;
      const wanted = { epoch: at + (random() < 0.8 ? 1 : Math.floor(random() * 10)), cluster: random() < 0.5 ? 'west' : 'north' };
      for (const name of ['n1', 'n2']) await b.kv.put(wireGuardKey('east', name), record(name, at, { wanted }));
      b.clock.advance(60_000 * random());
      // Operators come and go: none remembers anything.
      if (random() < 0.1) duty = b.duty();
      await duty.pass();
      const now = (await b.target())!;
      expect(now - at).toBeLessThanOrEqual(1);
      const [last] = await b.targets.history();
      if (now > at) changes.push(last!.by);
    }
    const led = changes.filter((by) => by !== 'operator').length;
    expect(led).toBeLessThanOrEqual(8 + SPAN / FOLLOW);
    expect([led > 30, changes.includes('operator')]).toEqual([true, true]);
    expect(b.said.filter((text) => !text.includes('WIREGUARD_ROTATION_LIMITED'))).toEqual([]);
  });

  it('goes by what nodes say of others that know of no epochs, and says once who they are', async () => {
    const b = bench();
    const duty = b.duty();
    await duty.pass();
    for (const name of ['n1', 'n2', 'gone']) await b.kv.put(wireGuardKey('east', name), record(name, 1, { blockedBy: [`cilium/${name}`] }));
    await duty.pass();
    expect(await b.target()).toBe(2);
    for (const name of ['n1', 'n2', 'gone']) await b.kv.put(wireGuardKey('east', name), record(name, 2, { blockedBy: [`cilium/${name}`] }));
    b.clock.advance(PAST);
    for (let i = 0; i < 3; i++) await duty.pass();
    expect(await b.target()).toBe(2);
    expect(b.said).toEqual([expect.stringContaining(`"code":"${WIREGUARD_ROTATION_BLOCKED.code}"`)]);
    expect(b.said[0]).toContain('rotation blocked by cilium/n1, cilium/n2"');
    await b.publish(2, 'n1', 'n2');
    await duty.pass();
    expect(await b.target()).toBe(3);
  });

  it('goes on without a node that does not come along, and says once whom it left', async () => {
    const b = bench(HOUR, HOUR / 2);
    const duty = b.duty();
    await duty.pass();
    await b.publish(1, 'n1');
    b.clock.advance(PAST);
    for (let i = 0; i < 3; i++) await duty.pass();
    expect(await b.target()).toBe(2);
    expect(b.said).toEqual([expect.stringContaining(`"code":"${WIREGUARD_LEFT_BEHIND.code}"`)]);
    expect(b.said[0]).toContain('n2: not at epoch 1 yet');
  });

  it('counts the interval from when another cluster has raised', async () => {
    const b = bench();
    const duty = b.duty();
    await duty.pass();
    await b.publish(1, 'n1', 'n2');
    b.clock.advance(HOUR / 2);
    await b.publish(2, 'n1', 'n2');
    await duty.pass();
    b.clock.advance(PAST - HOUR / 2);
    await duty.pass();
    expect(await b.target()).toBe(1);
    b.clock.advance(HOUR / 2);
    await duty.pass();
    expect(await b.target()).toBe(3);
  });

  it('knows after a change of leaders since when the target has been', async () => {
    const b = bench();
    await b.duty().pass();
    await b.publish(1, 'n1', 'n2');
    b.clock.advance(PAST);
    await b.duty().pass();
    expect(await b.target()).toBe(2);
  });

  it('waits no longer because a clock jumped back', async () => {
    const b = bench();
    await b.targets.raise(
      undefined,
      newTarget({ cluster: 'east', clusterId: 1 }, { target: 1, by: '', reason: '' }, b.clock.wall() + 100 * HOUR),
    );
    await b.publish(1, 'n1', 'n2');
    const duty = b.duty();
    await duty.pass();
    b.clock.advance(PAST);
    await duty.pass();
    expect(await b.target()).toBe(2);
  });

  it('fails on a target that it cannot read, and leaves it', async () => {
    const b = bench();
    const key = wireGuardTargetKey('east');
    await b.kv.put(key, '{}');
    await expect(b.duty().pass()).rejects.toMatchObject({ code: WIREGUARD_TARGET.code, object: key });
  });

  it('looks often enough', () => {
    expect([0, 5_000, 60_000, HOUR].map((ms) => Math.round(bench(ms).duty().passMs / 1_000))).toEqual([30, 1, 6, 30]);
  });
});

describe('two at once', () => {
  it('raise by one: that of the two whose write comes second writes nothing', async () => {
    const b = bench();
    await b.duty().pass();
    await b.publish(1, 'n1', 'n2');
    b.clock.advance(PAST);
    await Promise.all([b.duty().pass(), b.duty().pass(), b.duty().pass()]);
    expect(await b.target()).toBe(2);
    expect(await b.targets.history()).toHaveLength(2);
  });

  it('raise by one, wherever in its step the other one comes', async () => {
    for (const call of ['get', 'list', 'txn'] as const) {
      const b = bench();
      await b.duty().pass();
      await b.publish(1, 'n1', 'n2');
      b.clock.advance(PAST);
      const kv = b.server.connect();
      let person: boolean | undefined;
      const before = async (): Promise<void> => {
        if (person !== undefined) return;
        person = false;
        const own = (await b.targets.read()) as WireGuardTargetRow;
        person = await b.targets.raise(own, newTarget(own, { target: own.target + 1, by: 'admin-east', reason: 'leak' }, b.clock.wall()));
      };
      const [get, list, txn] = [kv.get.bind(kv), kv.list.bind(kv), kv.txn.bind(kv)];
      kv.get = async (key, options) => {
        if (call === 'get' && key === TARGET_HISTORY_KEY) await before();
        return get(key, options);
      };
      kv.list = async function* (prefix, options) {
        if (call === 'list') await before();
        yield* list(prefix, options);
      };
      kv.txn = async (request, options) => {
        if (call === 'txn' && request.success[0]?.type === 'put') await before();
        return txn(request, options);
      };
      await b.duty(new KvWireGuardTargets(kv, 'east')).pass();
      expect([call, person, await b.target()]).toEqual([call, true, 2]);
      expect((await b.targets.history()).map(({ by }) => by)).toEqual(['admin-east', 'operator']);
    }
  });
});

describe('the leader', () => {
  const node = (name: string) => ({ apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name }, spec: {} }) as const;
  const targetOf = async ({ kv }: ReturnType<typeof leaderBench>) => (await new KvWireGuardTargets(kv, 'east').read())?.target;

  it('looks after keys where encryption is on', async () => {
    const b = leaderBench({ 'enable-wireguard': 'true', 'wireguard-rotation-interval': '60' });
    await b.resources.apply(CILIUM_NODE, node('n1'));
    const { end } = b.start();
    await b.settle();
    expect(await targetOf(b)).toBe(1);
    await b.settle(120_000);
    expect(await targetOf(b)).toBe(1); // n1 publishes nothing
    await b.kv.put(wireGuardKey('east', 'n1'), record('n1', 1));
    await b.settle(20_000);
    expect(await targetOf(b)).toBe(2);
    await end();
  });

  it('follows another cluster soon after a node has told of it', async () => {
    const b = leaderBench({ 'enable-wireguard': 'true', 'wireguard-rotation-interval': '0' });
    await b.resources.apply(CILIUM_NODE, node('n1'));
    const { end } = b.start();
    await b.settle();
    await b.kv.put(wireGuardKey('east', 'n1'), record('n1', 1, { wanted: { epoch: 2, cluster: 'west' } }));
    await b.settle(2_000);
    expect(await targetOf(b)).toBe(2);
    expect((await new KvWireGuardTargets(b.kv, 'east').history())[0]?.by).toBe(byCluster('west'));
    await end();
  });

  it('and nowhere else', async () => {
    const b = leaderBench();
    const { end } = b.start();
    await b.settle(60_000);
    expect(await targetOf(b)).toBeUndefined();
    await end();
  });
});
