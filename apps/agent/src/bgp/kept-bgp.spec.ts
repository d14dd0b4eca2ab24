import { LOCAL_SCOPE, ManualClock, Store } from '@isthmus/core';
import {
  type BackendSetRow,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_PEER_CONFIG,
  type EndpointRow,
  parseResource,
  type Resource,
  type ResourceKind,
  type ResourceWatcher,
  SECRET,
  type ServiceRow,
} from '@isthmus/model';
import type { BgpOriginRow } from './bgp-rows.ts';
import { declareBgpTables } from './bgp-tables.ts';
import { KeptBgp } from './kept-bgp.ts';
import type { KeptBgp as Kept } from './kept-bgp-file.ts';

const PODS: BgpOriginRow = { prefixes: [{ prefix: '10.0.0.0/24', entries: ['pods#0'] }] };
const VIP: BgpOriginRow = { prefixes: [{ prefix: '192.0.2.9/32', entries: ['vips#0'] }] };
const CONFIG = object(CILIUM_BGP_PEER_CONFIG, { name: 'tor' }, { spec: { authSecretRef: 'tor' } });

function object(kind: ResourceKind, metadata: object, rest: object): Resource {
  const apiVersion = kind.group === 'core' ? kind.version : `${kind.group}/${kind.version}`;
  return parseResource(kind, { apiVersion, kind: kind.kind, metadata, ...rest });
}

function fixture(kept?: Kept) {
  const clock = new ManualClock();
  const store = new Store(clock, {
    onFault: ({ error }) => {
      throw error;
    },
  });
  const services = store.table<ServiceRow>('services');
  const others = [services, store.table<BackendSetRow>('service-backends'), store.table<EndpointRow>('endpoints')] as const;
  const tables = declareBgpTables(store, {
    services: services.table,
    localBackends: others[1].table,
    endpoints: others[2].table,
    routerId: '192.0.2.1',
    nodeAddresses: { ipv4: '192.0.2.1', ipv6: 'fd00::1' },
  });
  const watchers = new Map<string, ResourceWatcher<Resource>>();
  const saved: Kept[] = [];
  const failures: unknown[] = [];
  const disk = { full: false };
  const keeper = new KeptBgp({
    resources: {
      watch: (kind, watcher) => {
        watchers.set(kind.kind, watcher as unknown as ResourceWatcher<Resource>);
        return Promise.resolve();
      },
    },
    tables,
    file: {
      load: () => kept,
      save: (now) => {
        if (disk.full) throw new Error('no room');
        saved.push(now);
      },
    },
    clock,
    onFailed: (error) => failures.push(error),
  });
  const delivers = (what: Resource): void => {
    const kind = { kind: what.kind } as ResourceKind;
    if (!watchers.has(what.kind))
      void keeper.resources.watch(kind, { onBatch: () => {}, onSynced: () => {} }, new AbortController().signal);
    watchers.get(what.kind)!.onBatch([{ key: what.metadata.name, object: what }]);
  };
  /** All sources have said what there is. */
  const allKnown = (): void => {
    for (const writer of [...Object.values(tables.sources), ...others]) {
      writer.declare(LOCAL_SCOPE);
      writer.scopesKnown();
      writer.synced(LOCAL_SCOPE);
    }
    keeper.changed();
  };
  const prefixes = (): string[] => [...tables.routes.rows()].map(([prefix]) => prefix).sort();
  return { keeper, tables, clock, saved, failures, disk, delivers, allKnown, prefixes };
}

it('announces what an earlier run did until it is known what is to be', () => {
  const { keeper, tables, prefixes, allKnown } = fixture({
    resources: [],
    origins: [
      ['pod-cidr/10.0.0.0/24', PODS],
      ['service/default/web', VIP],
    ],
  });
  expect([keeper.isThere, prefixes()]).toEqual([true, ['10.0.0.0/24', '192.0.2.9/32']]);
  keeper.changed();
  expect(prefixes()).toHaveLength(2);
  allKnown();
  expect([prefixes(), [...tables.sources.keptOrigins.table.rows()]]).toEqual([[], []]);
});

it('has nothing to say where nothing was kept', () => {
  const { keeper, prefixes } = fixture();
  expect([keeper.isThere, prefixes()]).toEqual([false, []]);
});

it('saves once it is known what there is, and then a second after each change', () => {
  const { keeper, clock, saved, delivers, allKnown } = fixture();
  delivers(CONFIG);
  keeper.changed();
  clock.advance(10_000);
  expect(saved).toEqual([]);
  allKnown();
  keeper.changed();
  clock.advance(1_000);
  expect(saved).toEqual([{ resources: [CONFIG], origins: [] }]);
  clock.advance(10_000);
  expect(saved).toHaveLength(1);
  keeper.changed();
  keeper.stop();
  expect(saved).toHaveLength(2);
  keeper.stop();
  expect(saved).toHaveLength(2);
});

it('keeps what is wanted and not what was found, and of secrets the passwords of peers alone', () => {
  const { clock, saved, delivers, allKnown } = fixture();
  const data = { password: 'c2VjcmV0', other: 'b3RoZXI=' };
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"other":"other"}}' };
  delivers(CONFIG);
  delivers(object(CILIUM_BGP_NODE_CONFIG, { name: 'n1' }, { spec: { bgpInstances: [{ name: 'rack' }] }, status: { bgpInstances: [] } }));
  delivers(object(SECRET, { name: 'tor', namespace: 'isthmus', annotations }, { data }));
  delivers(object(SECRET, { name: 'unused', namespace: 'isthmus' }, { data }));
  delivers(object(SECRET, { name: 'no-password', namespace: 'isthmus' }, { data: { other: data.other } }));
  allKnown();
  clock.advance(1_000);
  expect(saved).toEqual([
    {
      resources: [
        CONFIG,
        object(CILIUM_BGP_NODE_CONFIG, { name: 'n1' }, { spec: { bgpInstances: [{ name: 'rack' }] } }),
        object(SECRET, { name: 'tor', namespace: 'isthmus' }, { data: { password: data.password } }),
      ],
      origins: [],
    },
  ]);
});

it('says when it cannot save, and tries again with the next change', () => {
  const { keeper, clock, saved, disk, failures, allKnown } = fixture();
  disk.full = true;
  allKnown();
  clock.advance(1_000);
  expect(failures).toEqual([new Error('no room')]);
  disk.full = false;
  keeper.changed();
  clock.advance(1_000);
  expect(saved).toHaveLength(1);
});
