import { ManualClock } from '@isthmus/core';
import { MemoryKvServer } from '@isthmus/kvstore';
import { identityKey } from '@isthmus/mesh';
import { KvIdentityRegistry } from './kv-identity-registry.ts';

const LABELS = 'k8s:app=web;';
const INDEX = `cilium/state/identities/v1/value/${LABELS}`;
const ID = 65_900;

function fixture() {
  const kv = new MemoryKvServer({ clock: new ManualClock() }).connect();
  return { kv, registry: new KvIdentityRegistry(kv) };
}

describe('KvIdentityRegistry', () => {
  it('puts number and labels together, once', async () => {
    const { registry } = fixture();
    expect(await registry.create(ID, LABELS)).toEqual({ outcome: 'created' });
    expect(await registry.create(ID + 1, LABELS)).toEqual({ outcome: 'exists', id: ID });
    expect(await registry.create(ID, 'k8s:app=db;')).toEqual({ outcome: 'taken' });
    expect([await registry.find(LABELS), await registry.labelsOf(ID), await registry.labelsOf(ID + 1)]).toEqual([ID, LABELS, undefined]);
  });

  it('takes no number that rests', async () => {
    const { kv, registry } = fixture();
    await kv.put(`isthmus/identities/retired/${ID}`, '1');
    expect(await registry.create(ID, LABELS)).toEqual({ outcome: 'taken' });
  });

  it('lists the numbers that are taken or rest', async () => {
    const { kv, registry } = fixture();
    await registry.create(ID, LABELS);
    await kv.put(`isthmus/identities/retired/${ID + 1}`, '1');
    expect(await registry.taken()).toEqual(new Set([ID, ID + 1]));
  });

  it('writes a number again when it is used, so that nobody collects it meanwhile', async () => {
    const { kv, registry } = fixture();
    await registry.create(ID, LABELS);
    const before = (await kv.get(identityKey(ID)))?.modRevision;
    await registry.find(LABELS);
    expect((await kv.get(identityKey(ID)))?.modRevision).toBeGreaterThan(before as number);
  });

  it('mends a number that vanished while its index stayed', async () => {
    const { kv, registry } = fixture();
    await registry.create(ID, LABELS);
    await kv.delete(identityKey(ID));
    expect(await registry.create(ID, LABELS)).toEqual({ outcome: 'exists', id: ID });
    expect(await registry.labelsOf(ID)).toBe(LABELS);
  });

  it('drops an index that points to the number of others', async () => {
    const { kv, registry } = fixture();
    await kv.put(INDEX, String(ID));
    await kv.put(identityKey(ID), 'k8s:app=db;');
    expect(await registry.find(LABELS)).toBeUndefined();
    expect(await kv.get(INDEX)).toBeUndefined();
  });
});
