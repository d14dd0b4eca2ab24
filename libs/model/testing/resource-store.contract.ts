import { ENDPOINT_SLICE, NAMESPACE, POD, type Pod, RESOURCE_INVALID, type ResourceStore, SERVICE, type Service } from '../src/index.ts';

/** A place under test. */
export interface ResourceStoreSubject {
  store: ResourceStore;
  /** Puts something there that has not the kind's shape; absent where the place itself prevents that. */
  corrupt?(plural: 'pods', namespace: string, name: string): Promise<void>;
  /** Breaks all connections once. */
  disconnect(): void | Promise<void>;
  close(): Promise<void>;
}

const CONDITION_MS = 10_000;

function pod(name: string, labels: Record<string, string> = {}, namespace = 'shop'): Pod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels }, spec: { nodeName: 'n1', containers: [{ name: 'c' }] } };
}

function service(name: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { ports: [{ port: 80 }], selector: { app: 'web' } },
  };
}

/** All that a watch said, as lines, the objects it left, and a way to wait for a condition. */
function watched(store: ResourceStore, namespace?: string) {
  const stop = new AbortController();
  const objects = new Map<string, Pod>();
  const invalid: string[] = [];
  let synced = 0;
  let wake = (): void => undefined;
  const done = store.watch(
    POD,
    {
      onBatch: (changes) => {
        for (const { key, object } of changes) object ? objects.set(key, object) : objects.delete(key);
        wake();
      },
      onSynced: () => {
        synced++;
        wake();
      },
      onInvalid: (key) => void invalid.push(key),
    },
    stop.signal,
    namespace,
  );
  const until = async (condition: () => boolean): Promise<void> => {
    const deadline = AbortSignal.timeout(CONDITION_MS);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        wake = resolve;
        deadline.addEventListener('abort', () => reject(new Error('the condition never came true')), { once: true });
      });
    }
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  return { objects, invalid, until, end, syncedTimes: () => synced };
}

/** What every place for resources must do. `setup` makes an empty one (of the namespaces used here: `shop` and `other`). */
export function describeResourceStore(name: string, setup: () => Promise<ResourceStoreSubject>): void {
  describe(`ResourceStore contract: ${name}`, () => {
    let subject: ResourceStoreSubject;
    let store: ResourceStore;
    beforeEach(async () => {
      subject = await setup();
      store = subject.store;
    });
    afterEach(() => subject.close());

    it('creates, reads, lists by namespace, deletes', async () => {
      expect(await store.get(POD, 'a', 'shop')).toBeUndefined();
      expect(await store.apply(POD, pod('b'))).toBe('created');
      expect(await store.apply(POD, pod('a'))).toBe('created');
      expect(await store.apply(POD, pod('a', {}, 'other'))).toBe('created');
      expect((await store.list(POD, 'shop')).map((each) => each.metadata.name)).toEqual(['a', 'b']);
      expect((await store.list(POD)).length).toBe(3);
      expect(await store.delete(POD, 'a', 'shop')).toBe(true);
      expect(await store.delete(POD, 'a', 'shop')).toBe(false);
      expect(await store.get(POD, 'a', 'shop')).toBeUndefined();
      expect((await store.get(POD, 'a', 'other'))?.metadata.namespace).toBe('other');
    });

    it('ignores the namespace of kinds without one', async () => {
      await store.apply(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { team: 'x' } } });
      expect((await store.get(NAMESPACE, 'shop', 'whatever'))?.metadata.labels).toMatchObject({ team: 'x' });
    });

    it('gives uid, creation time and a version; the first two stay', async () => {
      await store.apply(POD, { ...pod('a'), metadata: { ...pod('a').metadata, resourceVersion: '1' } });
      const first = await store.get(POD, 'a', 'shop');
      expect(first?.metadata.uid).toMatch(/./);
      expect(first?.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      await store.apply(POD, pod('a', { app: 'web' }));
      const second = await store.get(POD, 'a', 'shop');
      expect(second?.metadata.uid).toBe(first?.metadata.uid);
      expect(second?.metadata.creationTimestamp).toBe(first?.metadata.creationTimestamp);
      expect(second?.metadata.resourceVersion).not.toBe(first?.metadata.resourceVersion);
      await store.delete(POD, 'a', 'shop');
      await store.apply(POD, pod('a'));
      expect((await store.get(POD, 'a', 'shop'))?.metadata.uid).not.toBe(first?.metadata.uid);
    });

    it('keeps fields that it does not know', async () => {
      await store.apply(POD, { ...pod('a'), spec: { ...pod('a').spec, priorityClassName: 'high' } } as Pod);
      expect((await store.get(POD, 'a', 'shop'))?.spec).toMatchObject({ priorityClassName: 'high' });
    });

    it('apply writes nothing when nothing differs', async () => {
      await store.apply(SERVICE, service('web'));
      const { resourceVersion } = (await store.get(SERVICE, 'web', 'shop'))!.metadata;
      expect(await store.apply(SERVICE, service('web'))).toBe('unchanged');
      expect((await store.get(SERVICE, 'web', 'shop'))!.metadata.resourceVersion).toBe(resourceVersion);
      expect(await store.apply(SERVICE, { ...service('web'), spec: { ports: [{ port: 81 }] } })).toBe('configured');
      expect((await store.get(SERVICE, 'web', 'shop'))!.spec.selector).toBeUndefined();
    });

    it('apply leaves the status alone, and takes none', async () => {
      await store.apply(POD, { ...pod('a'), status: { podIPs: [{ ip: '10.0.0.9' }] } });
      expect((await store.get(POD, 'a', 'shop'))?.status?.podIPs).toBeUndefined();
      await store.update(POD, 'a', 'shop', (current) => current && { ...current, status: { podIPs: [{ ip: '10.0.0.1' }] } });
      await store.apply(POD, pod('a', { app: 'web' }));
      const now = await store.get(POD, 'a', 'shop');
      expect(now?.metadata.labels).toEqual({ app: 'web' });
      expect(now?.status?.podIPs).toEqual([{ ip: '10.0.0.1' }]);
    });

    it('refuses what has not the shape of its kind, and names the field', async () => {
      const bad = { ...service('web'), spec: { ports: [{ port: 70_000 }] } };
      await expect(store.apply(SERVICE, bad)).rejects.toMatchObject({
        code: RESOURCE_INVALID.code,
        message: expect.stringContaining('port'),
      });
      await store.apply(SERVICE, service('web'));
      await expect(store.update(SERVICE, 'web', 'shop', () => bad)).rejects.toMatchObject({ code: RESOURCE_INVALID.code });
    });

    it('update creates, changes, and leaves alone what is to stay', async () => {
      const made = await store.update(POD, 'a', 'shop', (current) => (current === undefined ? pod('a') : undefined));
      expect(made?.metadata.uid).toMatch(/./);
      expect(await store.update(POD, 'a', 'shop', () => undefined)).toEqual(made);
      expect(await store.update(POD, 'a', 'shop', (current) => current)).toEqual(made);
      expect(await store.get(POD, 'a', 'shop')).toEqual(made);
      expect(await store.update(POD, 'nobody', 'shop', () => undefined)).toBeUndefined();
    });

    it('loses no update of several writers', async () => {
      await store.apply(POD, pod('a'));
      const writers = Array.from({ length: 5 }, (_, i) =>
        store.update(POD, 'a', 'shop', (current) => {
          current!.metadata.labels = { ...current!.metadata.labels, [`w${i}`]: 'x' };
          return current;
        }),
      );
      await Promise.all(writers);
      expect(Object.keys((await store.get(POD, 'a', 'shop'))!.metadata.labels!).sort()).toEqual(['w0', 'w1', 'w2', 'w3', 'w4']);
    });

    it('watches: what is there, then what changes', async () => {
      await store.apply(POD, pod('a'));
      const watch = watched(store);
      await watch.until(() => watch.syncedTimes() > 0);
      expect([...watch.objects.keys()]).toEqual(['shop/a']);
      expect(watch.objects.get('shop/a')).toEqual(await store.get(POD, 'a', 'shop'));
      await store.apply(POD, pod('b'));
      await store.apply(POD, pod('a', { app: 'web' }));
      await watch.until(() => watch.objects.size === 2 && watch.objects.get('shop/a')?.metadata.labels?.['app'] === 'web');
      await store.delete(POD, 'a', 'shop');
      await watch.until(() => !watch.objects.has('shop/a'));
      await watch.end();
    });

    it('watches one namespace', async () => {
      await store.apply(POD, pod('a'));
      await store.apply(POD, pod('a', {}, 'other'));
      const watch = watched(store, 'shop');
      await watch.until(() => watch.syncedTimes() > 0);
      expect([...watch.objects.keys()]).toEqual(['shop/a']);
      await store.apply(POD, pod('b', {}, 'other'));
      await store.apply(POD, pod('b'));
      await watch.until(() => watch.objects.has('shop/b'));
      expect(watch.objects.size).toBe(2);
      await watch.end();
    });

    it('watches on after the connection broke, and misses nothing', async () => {
      await store.apply(POD, pod('a'));
      const watch = watched(store);
      await watch.until(() => watch.syncedTimes() > 0);
      await subject.disconnect();
      await store.delete(POD, 'a', 'shop');
      await store.apply(POD, pod('b'));
      await watch.until(() => watch.objects.has('shop/b') && !watch.objects.has('shop/a'));
      await watch.end();
    });

    it('counts an invalid object as absent, and says so', async () => {
      if (!subject.corrupt) return;
      await store.apply(POD, pod('a'));
      const watch = watched(store);
      await watch.until(() => watch.objects.size === 1);
      await subject.corrupt('pods', 'shop', 'a');
      await watch.until(() => watch.objects.size === 0);
      expect(watch.invalid).toEqual(['shop/a']);
      expect(await store.get(POD, 'a', 'shop')).toBeUndefined();
      expect(await store.list(POD)).toEqual([]);
      await store.apply(POD, pod('a'));
      await watch.until(() => watch.objects.size === 1);
      await watch.end();
    });

    it('reads the defaults of a kind', async () => {
      const slice = {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 's', namespace: 'shop' },
        addressType: 'IPv4',
      };
      await store.apply(ENDPOINT_SLICE, slice as never);
      expect(await store.get(ENDPOINT_SLICE, 's', 'shop')).toMatchObject({ endpoints: [], ports: [] });
    });
  });
}
