import { ManualClock, Store } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import type { FrontendRow } from '@isthmus/service';
import fc from 'fast-check';
import { ownTables } from './own-node-fixture.ts';
import { declareTranslations, parseTranslationKey, translationKey } from './translations.ts';

describe('translations', () => {
  it('have keys that can be taken apart', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), fc.nat(65_535), (vip, ip, port) => {
        const parts = { frontend: `TCP/[${vip}]:${port}`, backend: `TCP/${ip}:${port}` };
        expect(parseTranslationKey(translationKey(parts.frontend, parts.backend))).toEqual(parts);
      }),
    );
  });

  it('are valid for every backend that exists, chosen or not', () => {
    const store = new Store(new ManualClock());
    const frontends = store.table<FrontendRow>('frontends');
    const table = declareTranslations(store, frontends.table);
    const keys = () => [...table.rows()].map(([key]) => parseTranslationKey(key).backend).sort();
    const put = (backends: string[], idle: string[]) => frontends.put('TCP/10.96.0.9:80', { backends, idle } as unknown as FrontendRow);
    put(['a', 'b'], ['c']);
    expect(keys()).toEqual(['a', 'b', 'c']);
    put(['c'], ['a']);
    expect(keys()).toEqual(['a', 'c']);
    const { revision } = store;
    put(['a'], ['c']);
    expect([keys(), store.revision, table.revisionOf(translationKey('TCP/10.96.0.9:80', 'a'))]).toEqual([['a', 'c'], revision + 1, 1]);
    frontends.delete('TCP/10.96.0.9:80');
    expect(keys()).toEqual([]);
  });
});

describe('declareAgentTables', () => {
  const tables = () => ownTables();

  it('has a program on each pod’s device', () => {
    const { sources, podDevices } = tables();
    const row = { id: 1, interfaceName: 'isth1', ifindex: 9, ipv4: '', ipv6: '', identity: 0 } as EndpointRow;
    sources.endpoints.put('1', row);
    expect(podDevices.get('isth1')).toEqual({ ifindex: 9 });
    sources.endpoints.put('1', { ...row, ifindex: 10 });
    expect(podDevices.get('isth1')).toEqual({ ifindex: 10 });
    sources.endpoints.put('1', { ...row, interfaceName: 'isth2' });
    expect([podDevices.has('isth1'), podDevices.has('isth2')]).toEqual([false, true]);
    sources.endpoints.delete('1');
    expect(podDevices.size).toBe(0);
  });

  it('lets nothing be pruned before its sources are in', () => {
    const { sources, ipcache, frontends, localAddresses, peers } = tables();
    const scopes = () =>
      [ipcache, peers, localAddresses, frontends].map((table) => [table.scopes.isSynced('local'), table.scopes.isSynced('cluster-2')]);
    const none = [false, false];
    expect(scopes()).toEqual([none, none, [false, true], none]);
    for (const name of ['endpoints', 'hostAddresses', 'localIps', 'localNodes', 'services', 'localBackends'] as const)
      sources[name].synced('local');
    const local = [true, false];
    expect(scopes()).toEqual([local, local, [true, true], local]);
    for (const name of ['remoteIps', 'remoteNodes', 'remoteBackends'] as const) sources[name].scopesKnown();
    expect(scopes()).toEqual([1, 2, 3, 4].map(() => [true, true]));
    sources.remoteIps.declare('cluster-2');
    expect([ipcache.scopes.isSynced('cluster-2'), peers.scopes.isSynced('cluster-2')]).toEqual([false, true]);
  });
});
