import { ManualClock } from '@isthmus/core';
import { newTarget } from '@isthmus/crypto';
import { MemoryKvServer } from '@isthmus/kvstore';
import { encodeWireGuard, KvWireGuardTargets, wireGuardKey } from '@isthmus/mesh';
import { KvEncryptionTarget } from './kv-encryption-target.ts';

const EAST = { cluster: 'east', clusterId: 1 };

function fixture() {
  const clock = new ManualClock();
  const kv = new MemoryKvServer({ clock }).connect();
  const targets = new KvWireGuardTargets(kv, 'east');
  const raise = async (target: number): Promise<boolean> =>
    targets.raise(await targets.read(), newTarget(EAST, { target, by: 'operator', reason: '' }, clock.wall()));
  return { kv, targets, raise, target: new KvEncryptionTarget(kv, 'east', clock) };
}

it('is none before the operator has written one, and none is written', async () => {
  const { target, targets } = fixture();
  await target.meet('west', 42, 'admin-east');
  expect([await target.read(), await targets.read()]).toEqual([undefined, undefined]);
});

it('is that of the cluster, or of its nodes where they are further', async () => {
  const { kv, target, raise } = fixture();
  await raise(8);
  expect(await target.read()).toBe(8);
  const epochs = [{ epoch: 9, publicKey: Buffer.alloc(32, 1).toString('base64'), port: 51_872 }];
  await kv.put(wireGuardKey('east', 'n1'), encodeWireGuard({ ...EAST, name: 'n1', epochs, minTx: 9, laggards: [] }));
  expect(await target.read()).toBe(9);
  await target.meet('west', 9, 'admin-east');
  expect(await target.read()).toBe(9);
});

it('goes to where another cluster is, and says for whom; never back', async () => {
  const { target, targets, raise } = fixture();
  await raise(8);
  await target.meet('west', 42, 'admin-east');
  expect((await targets.history())[0]).toMatchObject({ target: 42, by: 'admin-east', reason: 'meets west' });
  await target.meet('north', 41, 'admin-east');
  expect(await target.read()).toBe(42);
});

it('is raised also when somebody else raises it at the same time', async () => {
  const { target, raise } = fixture();
  await raise(8);
  await Promise.all([target.meet('west', 42, ''), raise(9)]);
  expect(await target.read()).toBe(42);
});
