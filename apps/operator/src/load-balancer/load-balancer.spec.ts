import { CILIUM_LOAD_BALANCER_IP_POOL, type CiliumLoadBalancerIPPool, SERVICE, type Service } from '@isthmus/model';
import { LB_IP_EXHAUSTED, LB_IP_OUTSIDE, LB_IP_TAKEN, LB_NO_POOL } from '../operator.errors.ts';
import { leaderBench } from '../testing/leader-bench.ts';

type Bench = ReturnType<typeof leaderBench>;
type Meta = Partial<Service['metadata']>;

const SATISFIED = 'cilium.io/IPAMRequestSatisfied';

/** Applies a service of type LoadBalancer with IPv4, unless said otherwise. */
async function service({ resources }: Bench, name: string, spec: Service['spec'] = {}, metadata: Meta = {}): Promise<void> {
  const full: Service['spec'] = { type: 'LoadBalancer', ipFamilies: ['IPv4'], ...spec };
  await resources.apply(SERVICE, { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop', ...metadata }, spec: full });
}

async function pool({ resources, clock }: Bench, name: string, spec: CiliumLoadBalancerIPPool['spec']): Promise<void> {
  await resources.apply(CILIUM_LOAD_BALANCER_IP_POOL, {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumLoadBalancerIPPool',
    metadata: { name },
    spec,
  });
  clock.advance(1_000); // the next one is younger
}

async function ips({ resources }: Bench): Promise<Record<string, string>> {
  const services = await resources.list(SERVICE);
  return Object.fromEntries(
    services.map(({ metadata, status }) => [metadata.name, (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(' ')]),
  );
}

/** What the status of a service says of its addresses: the reason, undefined when it says nothing. */
async function reason({ resources }: Bench, name: string): Promise<string | undefined> {
  return (await resources.get(SERVICE, name, 'shop'))?.status?.conditions?.find(({ type }) => type === SATISFIED)?.reason;
}

async function poolSays({ resources }: Bench, name: string): Promise<Record<string, string | undefined>> {
  const found = await resources.get(CILIUM_LOAD_BALANCER_IP_POOL, name);
  return Object.fromEntries(
    (found?.status?.conditions ?? []).map(({ type, status, message }) => [
      type.replace('cilium.io/', ''),
      status === 'Unknown' ? message : status,
    ]),
  );
}

async function started(setUp: (b: Bench) => Promise<void>) {
  const b = leaderBench();
  await setUp(b);
  const first = b.start();
  let end = first.end;
  await b.settle();
  const restart = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    await end();
    await meanwhile();
    ({ end } = b.start());
    await b.settle();
  };
  return { b, restart, end: () => end() };
}

describe('addresses of load balancers', () => {
  it('are given of each family, to services of our class alone, and each once', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'v4', { blocks: [{ cidr: '10.9.0.0/30' }] });
      await pool(b, 'v6', { blocks: [{ start: 'fd09::5', stop: 'fd09::6' }] });
      await service(b, 'a');
      await service(b, 'b', { ipFamilies: ['IPv6', 'IPv4'] });
      await service(b, 'c', { loadBalancerClass: 'io.cilium/bgp-control-plane' });
      await service(b, 'foreign', { loadBalancerClass: 'example.com/other' });
      await service(b, 'internal', { type: 'ClusterIP' });
    });
    expect(await ips(b)).toEqual({ a: '10.9.0.0', b: 'fd09::5 10.9.0.1', c: '10.9.0.2', foreign: '', internal: '' });
    expect([await reason(b, 'a'), await reason(b, 'foreign')]).toEqual(['Allocated', undefined]);
    expect((await b.resources.get(SERVICE, 'a', 'shop'))?.status?.loadBalancer?.ingress).toEqual([{ ip: '10.9.0.0', ipMode: 'VIP' }]);
    expect(await poolSays(b, 'v4')).toEqual({ PoolConflict: 'False', IPsTotal: '4', IPsAvailable: '1', IPsUsed: '3' });
    expect(await poolSays(b, 'v6')).toEqual({ PoolConflict: 'False', IPsTotal: '2', IPsAvailable: '1', IPsUsed: '1' });
    await end();
  });

  it('of services that leave families open are of those that there are pools for', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'v4', { blocks: [{ cidr: '10.9.0.0/24' }], allowFirstLastIPs: 'No' });
      await service(b, 'any', { ipFamilies: [] });
      await service(b, 'both', { ipFamilies: [], ipFamilyPolicy: 'RequireDualStack' });
      await service(b, 'six', { ipFamilies: ['IPv6'] });
    });
    expect(await ips(b)).toEqual({ any: '10.9.0.1', both: '10.9.0.2', six: '' });
    expect([await reason(b, 'any'), await reason(b, 'both'), await reason(b, 'six')]).toEqual([
      'Allocated',
      LB_NO_POOL.code,
      LB_NO_POOL.code,
    ]);
    await pool(b, 'v6', { blocks: [{ cidr: 'fd09::/64' }] });
    await b.settle();
    expect(await ips(b)).toEqual({ any: '10.9.0.1 fd09::', both: '10.9.0.2 fd09::1', six: 'fd09::2' });
    expect(await reason(b, 'six')).toBe('Allocated');
    await end();
  });

  it('stay with their service when the operator starts again, whoever else wants one', async () => {
    const { b, restart, end } = await started(async (b) => {
      await pool(b, 'p', { blocks: [{ cidr: '10.9.0.0/29' }] });
      for (const name of ['a', 'b', 'c']) await service(b, name);
    });
    expect(await ips(b)).toEqual({ a: '10.9.0.0', b: '10.9.0.1', c: '10.9.0.2' });
    await restart(async () => {
      await b.resources.delete(SERVICE, 'b', 'shop');
      await service(b, '0');
      await service(b, 'c', { ports: [{ port: 81 }] });
    });
    expect(await ips(b)).toEqual({ 0: '10.9.0.1', a: '10.9.0.0', c: '10.9.0.2' });
    await end();
  });

  it('that two services have go to one of them, and the other gets another', async () => {
    const { b, restart, end } = await started(async (b) => {
      await pool(b, 'p', { blocks: [{ cidr: '10.9.0.0/29' }] });
      for (const name of ['a', 'b']) await service(b, name);
    });
    await restart(() =>
      b.resources.update(
        SERVICE,
        'b',
        'shop',
        (current) => current && { ...current, status: { ...current.status, loadBalancer: { ingress: [{ ip: '10.9.0.0' }] } } },
      ),
    );
    const now = await ips(b);
    expect(now['a']).toBe('10.9.0.0');
    expect(now['b']).toMatch(/^10\.9\.0\.[1-7]$/);
    await end();
  });

  it('run out, which is said, and go to the next in line when one is free', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'p', { blocks: [{ start: '10.9.0.1' }] });
      await service(b, 'a');
      await service(b, 'b');
    });
    expect(await ips(b)).toEqual({ a: '10.9.0.1', b: '' });
    expect(await reason(b, 'b')).toBe(LB_IP_EXHAUSTED.code);
    expect(b.heard(LB_IP_EXHAUSTED.code)).toBe(1);
    await b.resources.delete(SERVICE, 'a', 'shop');
    await b.settle(60_000);
    expect(await ips(b)).toEqual({ b: '10.9.0.1' });
    expect(await reason(b, 'b')).toBe('Allocated');
    await end();
  });

  it('are those that are asked for, where a pool has them and nobody else', async () => {
    const wanted = (list: string): Meta => ({ annotations: { 'lbipam.cilium.io/ips': list } });
    const { b, end } = await started(async (b) => {
      await pool(b, 'p', { blocks: [{ cidr: '10.9.0.0/24' }, { cidr: 'fd09::/64' }] });
      await service(b, 'annotated', {}, wanted('10.9.0.77, fd09:0::77'));
      await service(b, 'by-field', { loadBalancerIP: '10.9.0.78' });
      await service(b, 'outside', { loadBalancerIP: '192.0.2.1' });
      await service(b, 'taken', {}, wanted('10.9.0.77,10.9.0.79'));
      await service(b, 'wrong', {}, wanted('some'));
    });
    expect(await ips(b)).toEqual({ annotated: '10.9.0.77 fd09::77', 'by-field': '10.9.0.78', outside: '', taken: '10.9.0.79', wrong: '' });
    expect([await reason(b, 'outside'), await reason(b, 'taken'), await reason(b, 'wrong')]).toEqual([
      LB_IP_OUTSIDE.code,
      LB_IP_TAKEN.code,
      LB_IP_OUTSIDE.code,
    ]);
    await service(b, 'by-field', { loadBalancerIP: '10.9.0.80' });
    await service(b, 'annotated', {});
    await b.settle(60_000);
    expect(await ips(b)).toMatchObject({ annotated: '10.9.0.77', 'by-field': '10.9.0.80', taken: '10.9.0.79' });
    await service(b, 'annotated', { loadBalancerIP: '10.9.0.90' });
    await b.settle(60_000);
    expect(await ips(b)).toMatchObject({ annotated: '10.9.0.90', taken: '10.9.0.77 10.9.0.79' });
    await end();
  });

  it('come from pools that select the service, by its labels, name or namespace', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'named', {
        blocks: [{ cidr: '10.1.0.0/24' }],
        serviceSelector: { matchLabels: { 'io.kubernetes.service.name': 'a' } },
      });
      await pool(b, 'spaced', {
        blocks: [{ cidr: '10.2.0.0/24' }],
        serviceSelector: { matchLabels: { 'io.kubernetes.service.namespace': 'bank' } },
      });
      await pool(b, 'labelled', {
        blocks: [{ cidr: '10.3.0.0/24' }],
        serviceSelector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web'] }] },
      });
      await service(b, 'a');
      await service(b, 'b', {}, { namespace: 'bank' });
      await service(b, 'c', {}, { labels: { tier: 'web' } });
      await service(b, 'd');
    });
    expect(await ips(b)).toEqual({ a: '10.1.0.0', b: '10.2.0.0', c: '10.3.0.0', d: '' });
    await service(b, 'c', {});
    await b.settle();
    expect((await ips(b))['c']).toBe('');
    await end();
  });

  it('stay when their pool is disabled, and go when it is deleted or the service is a load balancer no more', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'p', { blocks: [{ cidr: '10.9.0.0/24' }] });
      await service(b, 'a');
      await service(b, 'b');
    });
    await pool(b, 'p', { blocks: [{ cidr: '10.9.0.0/24' }], disabled: true });
    await service(b, 'c');
    await service(b, 'b', { type: 'ClusterIP' });
    await b.settle();
    expect(await ips(b)).toEqual({ a: '10.9.0.0', b: '', c: '' });
    expect([await reason(b, 'b'), await reason(b, 'c')]).toEqual([undefined, LB_NO_POOL.code]);
    await b.resources.delete(CILIUM_LOAD_BALANCER_IP_POOL, 'p');
    await b.settle();
    expect(await ips(b)).toEqual({ a: '', b: '', c: '' });
    expect(await reason(b, 'a')).toBe(LB_NO_POOL.code);
    await end();
  });

  it('that somebody else gave are left alone while there are no pools', async () => {
    const { b, end } = await started(async (b) => {
      await service(b, 'a');
      await b.resources.update(
        SERVICE,
        'a',
        'shop',
        (current) => current && { ...current, status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } } },
      );
    });
    expect([await ips(b), await reason(b, 'a')]).toEqual([{ a: '192.0.2.9' }, undefined]);
    await end();
  });

  it('are not given out of a pool that overlaps an older one, until it does no more', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'z-old', { blocks: [{ cidr: '10.9.0.0/24' }], serviceSelector: { matchLabels: { tier: 'db' } } });
      await pool(b, 'a-new', { blocks: [{ start: '10.9.0.255', stop: '10.9.1.5' }] });
      await service(b, 'a');
    });
    expect(await ips(b)).toEqual({ a: '' });
    expect([(await poolSays(b, 'z-old'))['PoolConflict'], (await poolSays(b, 'a-new'))['PoolConflict']]).toEqual(['False', 'True']);
    await b.resources.delete(CILIUM_LOAD_BALANCER_IP_POOL, 'z-old');
    await b.settle();
    expect(await ips(b)).toEqual({ a: '10.9.0.255' });
    expect((await poolSays(b, 'a-new'))['PoolConflict']).toBe('False');
    await end();
  });
});
