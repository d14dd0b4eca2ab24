import fc from 'fast-check';
import { KeyOwners } from './key-owners.ts';
import type { PeerView } from './rotation-view.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

it('says after any changes what it would say of what is there now', () => {
  const record = fc.option(fc.uniqueArray(fc.nat(KEYS.length - 1), { maxLength: 2 }), { nil: undefined });
  // Most often it is the same nodes in the same order.
  const all = fc.tuple(record, record, record).map((records) => records.map((keys, i) => [`n${i + 1}`, keys] as const));
  const some = fc.array(fc.tuple(fc.constantFrom('n1', 'n2', 'n3'), record), { maxLength: 3 });
  const meshes = fc.array(fc.oneof({ arbitrary: all, weight: 4 }, some), { maxLength: 6 });
  fc.assert(
    fc.property(meshes, (steps) => {
      const owners = new KeyOwners();
      const known = new Map<string, PeerView['record']>();
      for (const step of steps) {
        // Of two nodes none ever has the other one's key.
        const taken = new Set<number>();
        const peers = new Map<string, PeerView>();
        for (const [name, keys] of step) {
          const free = keys?.filter((each) => !taken.has(each) && !peers.has(name));
          for (const each of free ?? []) taken.add(each);
          const said = `${name} ${free}`;
          const epochs = (free ?? []).map((each, i) => ({ epoch: i + 1, publicKey: KEYS[each]!, port: 1 }));
          if (!known.has(said)) known.set(said, free && { epochs, minTx: 0, laggards: [] });
          if (!peers.has(name)) peers.set(name, { name, tx: 'closed', record: known.get(said) });
        }
        owners.update([...peers.values()]);
        for (const key of KEYS) {
          const owner = [...peers.values()].find(({ record: said }) => said?.epochs.some(({ publicKey }) => publicKey === key));
          expect([key, owners.of(key)]).toEqual([key, owner?.name]);
        }
      }
    }),
  );
});
