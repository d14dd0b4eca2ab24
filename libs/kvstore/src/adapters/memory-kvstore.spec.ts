import { ManualClock, seededRandom } from '@isthmus/core';
import { describeKvAuth } from '../../testing/kv-auth.contract.ts';
import { describeKvStore, type KvContractSubject, rejection } from '../../testing/kvstore.contract.ts';
import { KV_QUOTA, KV_UNREACHABLE } from '../kv-errors.ts';
import { MemoryKvServer } from './memory/memory-server.ts';

async function subject(): Promise<KvContractSubject> {
  const server = new MemoryKvServer({ clock: new ManualClock(), random: seededRandom(1) });
  return {
    connect: async (user) => {
      const store = server.connect(user ? { user } : {});
      return { store, auth: store.auth, maintenance: server };
    },
    close: async () => server.stop(),
  };
}

describeKvStore('memory', subject);
describeKvAuth('memory', subject);

describe('MemoryKvServer', () => {
  it('lets leases run out on its clock while nobody can renew them, and the holder knows', async () => {
    const clock = new ManualClock();
    const server = new MemoryKvServer({ clock, random: seededRandom(1) });
    const kv = server.connect();
    const lease = await kv.grantLease(9);
    await kv.put('a', '1', { lease: lease.id });
    server.stop();
    await rejection(kv.get('a'), KV_UNREACHABLE);
    clock.advance(9_000);
    expect(lease.lost.aborted).toBe(true);
    server.start();
    expect(await kv.get('a')).toBeUndefined();
  });

  it('refuses writes when full, reads on, and recovers', async () => {
    const server = new MemoryKvServer();
    const kv = server.connect();
    await kv.put('a', '1');
    server.fillUp();
    await rejection(kv.put('a', '2'), KV_QUOTA);
    expect((await kv.status()).errors).toEqual(['NOSPACE']);
    expect((await kv.delete('a')).deleted).toBe(1);
    await server.clearAlarms();
    await kv.put('a', '3');
  });
});
