import { ManualClock, Store } from '@isthmus/core';
import { parseResource, SERVICE } from '@isthmus/model';
import { type OperatorServiceRow, serviceRow } from '../slices/service-row.ts';
import { LoadBalancerLedger } from './load-balancer-ledger.ts';
import type { LoadBalancerRequest } from './load-balancer-request.ts';

const BLOCKS = [{ cidr: '10.9.0.0/31', first: '', last: '', withoutEnds: false }];

function fixture() {
  const services = new Store(new ManualClock()).table<OperatorServiceRow>('services');
  const ledger = new LoadBalancerLedger(services.table);
  /** What the table shows of a service now, and what the ledger makes of that. */
  const show = (name: string, ips: string[], labels: Record<string, string> = {}): void => {
    const service = parseResource(SERVICE, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'shop', labels },
      spec: { type: 'LoadBalancer' },
      status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
    });
    services.put(`shop/${name}`, serviceRow(service)!);
    ledger.catchUp();
  };
  const grant = (name: string, changes: Partial<LoadBalancerRequest> = {}): readonly string[] => {
    const pools = [{ name: 'p', open: true, blocks: BLOCKS }];
    const base = { namespace: 'shop', name, wanted: true, told: true, ips: [], asked: [], dualStack: false, families: [4 as const], pools };
    return ledger.grant({ ...base, ...changes }).ips;
  };
  return { services, ledger, show, grant };
}

describe('LoadBalancerLedger', () => {
  it('keeps what it gave and the table does not show yet, however the service changes meanwhile', () => {
    const { show, grant } = fixture();
    show('a', []);
    expect(grant('a')).toEqual(['10.9.0.0']);
    show('a', [], { tier: 'web' });
    show('b', []);
    expect([grant('b'), grant('a')]).toEqual([['10.9.0.1'], ['10.9.0.0']]);
    show('a', ['10.9.0.0']);
    show('c', []);
    expect(grant('c')).toEqual([]);
  });

  it('frees an address when the table shows that it is gone, and no earlier', () => {
    const { services, ledger, show, grant } = fixture();
    show('a', ['10.9.0.0']);
    show('b', []);
    expect(grant('a', { asked: ['10.9.0.1'] })).toEqual(['10.9.0.1']);
    expect(grant('b')).toEqual([]);
    show('a', ['10.9.0.1']);
    expect(grant('b')).toEqual(['10.9.0.0']);
    show('b', ['10.9.0.0']);
    expect(grant('a', { wanted: false })).toEqual([]);
    show('c', []);
    expect(grant('c')).toEqual([]);
    services.delete('shop/a');
    ledger.catchUp();
    expect(grant('c')).toEqual(['10.9.0.1']);
  });

  it('gives again after somebody cleared the status', () => {
    const { show, grant } = fixture();
    show('a', ['10.9.0.0']);
    show('a', []);
    show('b', []);
    expect(grant('b')).toEqual(['10.9.0.0']);
    expect(grant('a')).toEqual(['10.9.0.1']);
  });
});
