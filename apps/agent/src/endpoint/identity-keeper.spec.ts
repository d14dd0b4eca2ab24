import { CodedError, ManualClock, Store, seededRandom } from '@isthmus/core';
import { IdentityAllocator } from '@isthmus/identity';
import { MemoryKvServer } from '@isthmus/kvstore';
import { identityKey } from '@isthmus/mesh';
import type { EndpointRow, IdentityRow } from '@isthmus/model';
import { POD_NOT_FOUND } from '../agent.errors.ts';
import { KvIdentityRegistry } from '../identity/kv-identity-registry.ts';
import { IdentityKeeper } from './identity-keeper.ts';

const WEB = 'k8s:app=web;';
const DB = 'k8s:app=db;';

/** A keeper over a registry in memory; the table of identities is the test's to write. */
function fixture() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const registry = new KvIdentityRegistry(server.connect());
  const store = new Store(clock);
  const endpoints = store.table<EndpointRow>('endpoints');
  const identities = store.table<IdentityRow>('identities');
  const heard = new Map<string, string>();
  const pods = new Map<string, string>();
  const errors: unknown[] = [];
  const relabelled: string[] = [];
  const keeper = new IdentityKeeper({
    store,
    endpoints: endpoints.table,
    identities: identities.table,
    allocator: new IdentityAllocator(registry, { cluster: 'east', min: 65_800, max: 65_999 }, seededRandom(3)),
    service: {
      relabel: (row, labels, identity) => {
        relabelled.push(labels);
        endpoints.put(String(row.id), { ...row, labels, identity });
      },
    },
    labelsOf: ({ pod }) => heard.get(pod),
    readLabels: async (_namespace, pod) => {
      server.checkUp();
      const labels = pods.get(pod);
      if (labels === undefined) throw new CodedError(POD_NOT_FOUND, `no pod ${pod}`);
      return labels;
    },
    clock,
    random: seededRandom(4),
    onError: (_endpoint, error) => errors.push(error),
  });
  const stop = new AbortController();
  const running = keeper.run(stop.signal);
  const row = (id: number) => endpoints.table.get(String(id)) as EndpointRow;
  const put = (id: number, labels: string, identity: number) =>
    endpoints.put(String(id), { id, namespace: 'shop', pod: `p${id}`, labels, identity } as EndpointRow);
  const know = (id: number, labels: string) => identities.put(String(id), { id, cluster: 'east', labels });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, server, registry, identities, keeper, heard, pods, errors, relabelled, row, put, know, settle, end };
}

describe('IdentityKeeper', () => {
  it('does nothing when all is well', async () => {
    const { registry, identities, put, know, settle, row, end, server } = fixture();
    await registry.create(65_850, WEB);
    const revision = server.revision;
    put(1, WEB, 65_850);
    put(2, WEB, 0);
    await settle();
    know(65_850, WEB);
    identities.synced('local');
    await settle();
    expect([row(1).identity, row(2).identity, server.revision]).toEqual([65_850, 0, revision]);
    await end();
  });

  it('takes no number for vanished before the identities are listed', async () => {
    const { registry, identities, put, settle, end } = fixture();
    put(1, WEB, 65_850);
    await settle();
    expect(await registry.labelsOf(65_850)).toBeUndefined();
    identities.synced('local');
    await settle();
    expect(await registry.labelsOf(65_850)).toBe(WEB);
    await end();
  });

  it('sleeps while it is told of endpoints before the identities are listed, and then looks at them', async () => {
    const { registry, identities, keeper, put, settle, end } = fixture();
    put(1, WEB, 65_850);
    keeper.suspect(() => true);
    await settle();
    identities.synced('local');
    await settle();
    expect(await registry.labelsOf(65_850)).toBe(WEB);
    await end();
  });

  it('creates a number in use again when it vanishes', async () => {
    const { registry, identities, put, know, settle, row, end } = fixture();
    put(1, WEB, 65_850);
    know(65_850, WEB);
    identities.synced('local');
    await settle();
    identities.delete('65850');
    await settle();
    expect(await registry.labelsOf(65_850)).toBe(WEB);
    expect(row(1).identity).toBe(65_850);
    await end();
  });

  it('gives another number when one came back with other labels, and never that one again', async () => {
    const { server, identities, put, know, settle, row, end } = fixture();
    put(1, WEB, 65_850);
    put(2, WEB, 65_850);
    identities.synced('local');
    await server.connect().put(identityKey(65_850), DB);
    know(65_850, DB);
    await settle();
    expect(row(1).identity).not.toBe(65_850);
    expect(row(2).identity).toBe(row(1).identity);
    await end();
  });

  it('follows the labels of pods', async () => {
    const { registry, identities, put, know, settle, row, end, heard, pods, keeper } = fixture();
    await registry.create(65_850, WEB);
    put(1, WEB, 65_850);
    know(65_850, WEB);
    identities.synced('local');
    heard.set('p1', DB);
    pods.set('p1', DB);
    keeper.suspect((endpoint) => endpoint.pod === 'p1');
    await settle();
    expect(row(1).labels).toBe(DB);
    expect(await registry.labelsOf(row(1).identity)).toBe(DB);
    await end();
  });

  it('believes the pod, not what was heard of it earlier', async () => {
    const { registry, identities, put, know, settle, end, heard, pods, relabelled } = fixture();
    await registry.create(65_850, WEB);
    heard.set('p1', DB);
    pods.set('p1', WEB);
    know(65_850, WEB);
    identities.synced('local');
    put(1, WEB, 65_850);
    await settle();
    expect(relabelled).toEqual([]);
    await end();
  });

  it('leaves the endpoint of a deleted pod alone', async () => {
    const { registry, identities, put, know, settle, end, heard, relabelled, errors } = fixture();
    await registry.create(65_850, WEB);
    heard.set('p1', DB);
    know(65_850, WEB);
    identities.synced('local');
    put(1, WEB, 65_850);
    await settle();
    expect([relabelled, errors]).toEqual([[], []]);
    await end();
  });

  it('tries again until etcd answers, and goes on with the others meanwhile', async () => {
    const { clock, server, registry, identities, put, settle, row, end, heard, pods, errors, keeper } = fixture();
    put(1, WEB, 65_850);
    identities.synced('local');
    await settle();
    heard.set('p1', DB);
    pods.set('p1', DB);
    server.stop();
    keeper.suspect(() => true);
    await settle();
    expect(errors.at(-1)).toMatchObject({ code: 'KV_UNREACHABLE' });
    expect(row(1).labels).toBe(WEB);
    server.start();
    clock.advance(5_000);
    await settle();
    expect(row(1).labels).toBe(DB);
    expect(await registry.labelsOf(row(1).identity)).toBe(DB);
    await end();
  });
});
