import { LOCAL_SCOPE, ManualClock, Store } from '@isthmus/core';
import { followResources } from './follow-resources.ts';
import { NAMESPACE, type Namespace } from './kinds/namespace.ts';
import type { ResourceStore, ResourceWatcher } from './resource-store.ts';

const namespace = (name: string, team?: string): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(team && { labels: { team } }) },
});

describe('followResources', () => {
  it('keeps a table as the resources are, one commit a batch, complete when told so', async () => {
    const store = new Store(new ManualClock());
    const writer = store.table<string>('teams');
    let watcher!: ResourceWatcher<Namespace>;
    const watch: ResourceStore['watch'] = async (_, given) => {
      watcher = given as unknown as ResourceWatcher<Namespace>;
    };
    const resources = { watch } as ResourceStore;
    await followResources({
      resources,
      kind: NAMESPACE,
      store,
      writer,
      rowOf: ({ metadata }) => metadata.labels?.['team'],
      signal: new AbortController().signal,
    });
    const { revision } = store;
    watcher.onBatch(['a', 'b', 'c'].map((name) => ({ key: name, object: namespace(name, name === 'c' ? undefined : 'x') })));
    expect(store.revision).toBe(revision + 1);
    expect([...writer.table.rows()]).toEqual([
      ['a', 'x'],
      ['b', 'x'],
    ]);
    expect(writer.table.scopes.isSynced(LOCAL_SCOPE)).toBe(false);
    watcher.onSynced();
    expect(writer.table.scopes.isSynced(LOCAL_SCOPE)).toBe(true);
    watcher.onBatch([
      { key: 'a', object: undefined },
      { key: 'b', object: namespace('b') },
    ]);
    expect(writer.table.size).toBe(0);
  });
});
