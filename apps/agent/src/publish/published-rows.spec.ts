import { ManualClock, Store } from '@isthmus/core';
import type { EndpointRow } from '@isthmus/model';
import { declarePodStatuses, declarePublishedIps } from './published-rows.ts';

const HOST = '172.30.1.1';

function fixture() {
  const store = new Store(new ManualClock());
  const endpoints = store.table<EndpointRow>('endpoints');
  const put = (id: number, pod: string, ipv4: string, identity: number, ipv6 = '') =>
    endpoints.put(String(id), { id, namespace: 'shop', pod, ipv4, ipv6, identity } as EndpointRow);
  return {
    endpoints,
    put,
    ips: declarePublishedIps(store, endpoints.table, HOST),
    statuses: declarePodStatuses(store, endpoints.table, HOST),
  };
}

describe('what a node publishes of its pods', () => {
  it('is nothing before a pod has its identity', () => {
    const { put, ips, statuses } = fixture();
    put(1, 'web', '10.1.0.5', 0, 'fd00::5');
    expect([ips.size, statuses.size]).toEqual([0, 0]);
    put(1, 'web', '10.1.0.5', 65_800, 'fd00::5');
    expect(ips.get('fd00::5')).toEqual({ hostIp: HOST, identity: 65_800, namespace: 'shop', pod: 'web' });
    expect(statuses.get('shop/web')).toEqual({ podIps: ['10.1.0.5', 'fd00::5'], hostIp: HOST });
  });

  it('follows another identity, another address, and the end', () => {
    const { put, ips, statuses, endpoints } = fixture();
    put(1, 'web', '10.1.0.5', 65_800);
    put(1, 'web', '10.1.0.5', 65_801);
    expect(ips.get('10.1.0.5')?.identity).toBe(65_801);
    put(1, 'web', '10.1.0.6', 65_801);
    expect([ips.has('10.1.0.5'), statuses.get('shop/web')?.podIps]).toEqual([false, ['10.1.0.6']]);
    endpoints.delete('1');
    expect([ips.size, statuses.size]).toEqual([0, 0]);
  });

  it('gives a pod that is made anew the status of its newest container', () => {
    const { put, statuses, endpoints } = fixture();
    put(1, 'web', '10.1.0.5', 65_800);
    put(2, 'web', '10.1.0.6', 0);
    expect(statuses.get('shop/web')?.podIps).toEqual(['10.1.0.5']);
    put(2, 'web', '10.1.0.6', 65_800);
    expect(statuses.get('shop/web')?.podIps).toEqual(['10.1.0.6']);
    endpoints.delete('1');
    expect(statuses.get('shop/web')?.podIps).toEqual(['10.1.0.6']);
  });
});
