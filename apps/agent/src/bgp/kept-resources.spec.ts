import { CILIUM_BGP_PEER_CONFIG, type CiliumBGPPeerConfig, parseResource, type ResourceWatcher, SECRET, type Secret } from '@isthmus/model';
import { KeptResources } from './kept-resources.ts';

const config = (name: string, med = 0): CiliumBGPPeerConfig =>
  parseResource(CILIUM_BGP_PEER_CONFIG, { apiVersion: 'cilium.io/v2', kind: 'CiliumBGPPeerConfig', metadata: { name }, spec: { med } });
const secret = (namespace: string, name: string): Secret =>
  parseResource(SECRET, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } });

/** A store that the spec speaks for, watched by way of what was kept. */
function fixture(kept?: readonly (CiliumBGPPeerConfig | Secret)[]) {
  let store!: ResourceWatcher<CiliumBGPPeerConfig>;
  const resources = new KeptResources(
    {
      watch: (_kind, watcher) => {
        store = watcher as unknown as typeof store;
        return Promise.resolve();
      },
    },
    (object) => (object.metadata.name === 'secret' ? undefined : object),
    kept,
  );
  const heard: string[] = [];
  void resources.watch(
    CILIUM_BGP_PEER_CONFIG,
    {
      onBatch: (changes) => void heard.push(...changes.map(({ key, object }) => (object ? `${key}=${object.spec.med}` : `-${key}`))),
      onSynced: () => void heard.push('all'),
    },
    new AbortController().signal,
  );
  const delivers = (...objects: CiliumBGPPeerConfig[]): void =>
    store.onBatch(objects.map((object) => ({ key: object.metadata.name, object })));
  const names = (): string[] => [...resources.objects()].map(({ metadata }) => metadata.name);
  return { resources, heard, delivers, names, store };
}

it('says nothing of its own when nothing is known of an earlier run', () => {
  const { heard, delivers, store } = fixture();
  expect(heard).toEqual([]);
  delivers(config('a', 1));
  store.onSynced();
  expect(heard).toEqual(['a=1', 'all']);
});

it('delivers what was kept as a listing, even when that was nothing', () => {
  expect(fixture([config('a', 1), secret('x', 'b')]).heard).toEqual(['a=1', 'all']);
  expect(fixture([]).heard).toEqual(['all']);
});

it('takes away what the store does not have once it has said all, and not before', () => {
  const { heard, delivers, store, names } = fixture([config('a'), config('b'), config('c')]);
  heard.length = 0;
  delivers(config('a', 2));
  store.onBatch([{ key: 'c', object: undefined }]);
  expect([heard.splice(0), names()]).toEqual([
    ['a=2', '-c'],
    ['a', 'b'],
  ]);
  store.onSynced();
  expect([heard.splice(0), names()]).toEqual([['-b', 'all'], ['a']]);
  store.onSynced();
  expect(heard).toEqual(['all']);
});

it('remembers what it is told to, and what is gone no longer', () => {
  const { delivers, names, store } = fixture();
  delivers(config('a'), config('secret'), config('b'));
  expect(names()).toEqual(['a', 'b']);
  store.onBatch([{ key: 'a', object: undefined }]);
  expect(names()).toEqual(['b']);
});

it('delivers the part that is watched', () => {
  const kept = [secret('x', 'a'), secret('y', 'a'), secret('x', 'b')];
  const { resources } = fixture(kept);
  const keys: string[] = [];
  const watcher = {
    onBatch: (changes: readonly { key: string }[]) => void keys.push(...changes.map(({ key }) => key)),
    onSynced: () => {},
  };
  void resources.watch(SECRET, watcher, new AbortController().signal, { namespace: 'x' });
  expect(keys.splice(0)).toEqual(['x/a', 'x/b']);
  void resources.watch(SECRET, watcher, new AbortController().signal, { namespace: 'x', name: 'b' });
  expect(keys).toEqual(['x/b']);
});
