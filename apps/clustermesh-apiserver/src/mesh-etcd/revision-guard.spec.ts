import type { KvStore, KvTxnResult } from '@isthmus/kvstore';
import fc from 'fast-check';
import { RevisionGuard } from './revision-guard.ts';

/** A store that answers when told to, with the revision that it had when the call came. */
class SlowStore {
  revision = 100;
  readonly pending: (() => void)[] = [];

  txn(): Promise<KvTxnResult> {
    const { revision } = this;
    return new Promise((resolve) => this.pending.push(() => resolve({ succeeded: true, revision, results: [] })));
  }
}

describe('RevisionGuard', () => {
  const step = fc.oneof(
    fc.constant('call' as const),
    fc.constant('write' as const),
    fc.nat(20).map((answer) => ({ answer })),
  );

  it('never takes answers that overtake each other for a store that went back (property)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const store = new SlowStore();
        const guard = new RevisionGuard(store as unknown as KvStore, () => {
          throw new Error('it did not go back');
        });
        const calls: Promise<void>[] = [];
        for (const each of steps) {
          if (each === 'call') calls.push(guard.check('k'));
          else if (each === 'write') store.revision++;
          else store.pending.splice(each.answer % Math.max(1, store.pending.length), 1)[0]?.();
          await Promise.resolve();
        }
        for (const answer of store.pending.splice(0)) answer();
        await Promise.all(calls);
      }),
    );
  });

  it('notices a store that went back, once', async () => {
    const store = new SlowStore();
    let times = 0;
    const guard = new RevisionGuard(store as unknown as KvStore, () => times++);
    const ask = async (): Promise<void> => {
      const call = guard.check('k');
      store.pending.splice(0).forEach((answer) => void answer());
      await call;
    };
    await ask();
    store.revision = 40;
    await ask();
    await ask();
    expect(times).toBe(1);
  });
});
