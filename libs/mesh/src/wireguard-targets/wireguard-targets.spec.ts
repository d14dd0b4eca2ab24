import type { WireGuardTargetRow } from '@isthmus/model';
import { GOLDEN } from '../../testing/golden.ts';
import { wireGuardKey, wireGuardTargetKey } from '../keys.ts';
import { KvWireGuardTargets, type TargetKv } from './kv-wireguard-targets.ts';
import { decodeHistory, type TargetChange, withChange } from './target-history.ts';
import { WIREGUARD_TARGET } from './wireguard-targets.errors.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** An etcd that holds this, and to which nothing is written. */
function etcdWith(texts: Readonly<Record<string, string>>): TargetKv {
  const values = Object.entries(texts).map(([key, text]) => ({ key, value: bytes(text), modRevision: 1 }));
  return {
    get: async (wanted) => values.find(({ key }) => key === wanted),
    list: async function* (prefix) {
      yield { entries: values.filter(({ key }) => key.startsWith(prefix)) };
    },
    txn: async () => ({ succeeded: false }),
  };
}

describe('targets', () => {
  const KEY = wireGuardTargetKey('cluster3');
  const TEXT = GOLDEN.wireGuardTarget;
  const ROW = { cluster: 'cluster3', clusterId: 3, target: 7, startedAt: '2026-05-01T10:00:00Z', by: 'admin', reason: 'a key <lost>' };

  it('are read by who does not know the id of their cluster, nor its name', async () => {
    expect(await new KvWireGuardTargets(etcdWith({ [KEY]: TEXT }), 'cluster3').read()).toEqual(ROW);
    expect(await (await KvWireGuardTargets.ofEtcd(etcdWith({ [KEY]: TEXT })))?.read()).toEqual(ROW);
    expect(await KvWireGuardTargets.ofEtcd(etcdWith({}))).toBeUndefined();
  });

  it.each([
    ['', 'bad-json'],
    ['{"cluster":"cluster3"}', 'bad-field'],
    [TEXT.replace('"clusterID":3', '"clusterID":-3'), 'bad-field'],
    [TEXT.replace('7', '0'), 'bad-epoch'],
    [TEXT.replace('7', '4294967296'), 'bad-field'],
    [TEXT.replace('cluster3', 'cluster4'), 'foreign-cluster'],
  ])('that are broken are refused: %s', async (text, why) => {
    const refused = { code: WIREGUARD_TARGET.code, object: KEY, message: `the target cannot be read: ${why}` };
    await expect(new KvWireGuardTargets(etcdWith({ [KEY]: text }), 'cluster3').read()).rejects.toMatchObject(refused);
    await expect(KvWireGuardTargets.ofEtcd(etcdWith({ [KEY]: text }))).rejects.toMatchObject(refused);
  });

  it('that nobody could read are not written', async () => {
    const targets = new KvWireGuardTargets(etcdWith({ [KEY]: TEXT }), 'cluster3');
    await expect(targets.raise(ROW, { ...ROW, target: 0x1_0000_0000 })).rejects.toMatchObject({ code: WIREGUARD_TARGET.code, object: KEY });
    expect(await targets.raise(ROW, { ...ROW, target: 8 })).toBe(false);
  });

  it.each(['cluster3', 'cluster3/other'])('are under no other key: %s', async (rest) => {
    const key = `cilium/state/isthmus/wireguard-target/v1/${rest}`;
    await expect(KvWireGuardTargets.ofEtcd(etcdWith({ [key]: TEXT }))).rejects.toMatchObject({
      object: key,
      message: 'the target cannot be read: bad-key',
    });
  });
});

it('nodes have the newest epoch of their record; what cannot be read is none', async () => {
  const texts = [GOLDEN.wireGuard, GOLDEN.wireGuardBare, GOLDEN.wireGuard.replace('51872', '51871'), '{"epochs":[{"epoch":7}]}', 'null'];
  const epochOf = async (text: string) => {
    const targets = new KvWireGuardTargets(etcdWith({ [wireGuardKey('cluster3', 'worker-1')]: text }), 'cluster3');
    return [...(await targets.nodes())].map(([name, { epoch }]) => [name, epoch]);
  };
  expect(await Promise.all(texts.map(epochOf))).toEqual([7, 0, 0, 0, 0].map((epoch) => [['worker-1', epoch]]));
});

describe('the history', () => {
  const change = (target: number): TargetChange => ({ at: '1970-01-01T00:00:05Z', by: 'operator', target, reason: 'schedule' });

  const row: WireGuardTargetRow = {
    cluster: 'west',
    clusterId: 2,
    target: 7,
    startedAt: '1970-01-01T00:00:05Z',
    by: 'operator',
    reason: 'schedule',
  };

  it('begins with the newest change and forgets the oldest', () => {
    let history: TargetChange[] = [];
    for (let target = 1; target <= 102; target++) history = withChange(history, { ...row, target });
    expect(history).toHaveLength(100);
    expect([history[0], history.at(-1)]).toEqual([change(102), change(3)]);
    expect(decodeHistory(bytes(JSON.stringify(history)))).toEqual(history);
  });

  it('keeps what can be read of it', () => {
    expect(decodeHistory(bytes(JSON.stringify([change(2), { at: 1 }, null, change(1)])))).toEqual([change(2), change(1)]);
    expect([undefined, bytes('{'), bytes('{}')].map(decodeHistory)).toEqual([[], [], []]);
  });
});
