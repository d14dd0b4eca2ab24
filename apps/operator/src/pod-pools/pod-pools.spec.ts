import { IPAM_CIDR_CONFLICT } from '@isthmus/ipam';
import { CILIUM_NODE, CILIUM_POD_IP_POOL, type CiliumNode, type CiliumPodIPPool } from '@isthmus/model';
import { POD_POOL_EXHAUSTED, POD_POOL_UNUSABLE } from '../operator.errors.ts';
import { leaderBench } from '../testing/leader-bench.ts';

type Bench = ReturnType<typeof leaderBench>;
type Pools = NonNullable<NonNullable<CiliumNode['spec']['ipam']>['pools']>;

/** Writes a node's pools as its agent does: what it needs, and what it keeps; `allocated` as it is unless given. */
async function node(
  { resources }: Bench,
  name: string,
  needed: Record<string, [v4: number, v6: number]>,
  allocated?: Pools['allocated'],
): Promise<void> {
  const requested = Object.entries(needed).map(([pool, [v4, v6]]) => ({ pool, needed: { 'ipv4-addrs': v4, 'ipv6-addrs': v6 } }));
  await resources.update(CILIUM_NODE, name, undefined, (current) => {
    const base: CiliumNode = current ?? { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name }, spec: {} };
    const pools = { ...base.spec.ipam?.pools, requested, ...(allocated && { allocated }) };
    return { ...base, spec: { ...base.spec, ipam: { ...base.spec.ipam, pools } } };
  });
}

async function pool({ resources }: Bench, name: string, spec: CiliumPodIPPool['spec']): Promise<void> {
  await resources.apply(CILIUM_POD_IP_POOL, { apiVersion: 'cilium.io/v2alpha1', kind: 'CiliumPodIPPool', metadata: { name }, spec });
}

async function allocated({ resources }: Bench, name: string): Promise<Record<string, string>> {
  const found = await resources.get(CILIUM_NODE, name);
  return Object.fromEntries((found?.spec.ipam?.pools?.allocated ?? []).map(({ pool, cidrs = [] }) => [pool, cidrs.join(' ')]));
}

async function problem({ resources }: Bench, name: string): Promise<string | undefined> {
  const status = (await resources.get(CILIUM_NODE, name))?.status as
    | { conditions?: { type: string; status: string; reason: string }[] }
    | undefined;
  return status?.conditions?.find(({ type, status }) => type === 'PodIPPoolsAllocated' && status === 'False')?.reason;
}

async function started(setUp: (b: Bench) => Promise<void>) {
  const b = leaderBench();
  await setUp(b);
  const { end } = b.start();
  await b.settle(1_000); // two sinks write to one record, and the one that comes second tries again after a while
  return { b, end };
}

describe('shares of pod pools', () => {
  it('are as many as a node needs, of each pool and family, and more when it needs more', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'red', {
        ipv4: { cidrs: ['172.16.0.0/24', '172.17.0.0/24'], maskSize: 26 },
        ipv6: { cidrs: ['fd16::/48'], maskSize: 64 },
      });
      await pool(b, 'blue', { ipv4: { cidrs: ['172.18.0.0/24'], maskSize: 28 } });
      await node(b, 'n1', { red: [65, 1], blue: [16, 0] });
      await node(b, 'n2', { red: [1, 0] });
      await node(b, 'n3', {});
    });
    expect(await allocated(b, 'n1')).toEqual({ blue: '172.18.0.0/28', red: '172.16.0.0/26 172.16.0.64/26 fd16::/64' });
    expect([await allocated(b, 'n2'), await allocated(b, 'n3')]).toEqual([{ red: '172.16.0.128/26' }, {}]);
    await node(b, 'n2', { red: [129, 0] });
    await b.settle(1_000);
    expect(await allocated(b, 'n2')).toEqual({ red: '172.16.0.128/26 172.16.0.192/26 172.17.0.0/26' });
    expect((await b.resources.get(CILIUM_NODE, 'n1'))?.spec.ipam?.podCIDRs?.length).toBe(2);
    await end();
  });

  it('that a node gives back, or that is gone with it, go to others; those in use stay across a restart', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'red', { ipv4: { cidrs: ['172.16.0.0/25'], maskSize: 26 } });
      await node(b, 'n1', { red: [128, 0] });
      await node(b, 'n2', {});
    });
    await end();
    await node(b, 'n0', { red: [1, 0] });
    const second = b.start();
    await b.settle(1_000);
    expect([await allocated(b, 'n0'), await problem(b, 'n0')]).toEqual([{}, POD_POOL_EXHAUSTED.code]);
    await node(b, 'n1', { red: [64, 0] }, [{ pool: 'red', cidrs: ['172.16.0.64/26'] }]);
    await b.settle(60_000);
    expect([await allocated(b, 'n0'), await problem(b, 'n0')]).toEqual([{ red: '172.16.0.0/26' }, undefined]);
    await b.resources.delete(CILIUM_NODE, 'n1');
    await node(b, 'n2', { red: [64, 0] });
    await b.settle(60_000);
    expect(await allocated(b, 'n2')).toEqual({ red: '172.16.0.64/26' });
    await second.end();
  });

  it('are refused where there is no such pool, or it is not apart from other networks, and given when there is', async () => {
    const { b, end } = await started(async (b) => {
      await pool(b, 'inside', { ipv4: { cidrs: ['10.1.128.0/24'], maskSize: 26 } });
      await node(b, 'n1', { none: [1, 0] });
      await node(b, 'n2', { inside: [1, 0] });
      await node(b, 'n3', { inside: [0, 1] });
    });
    for (const name of ['n1', 'n2', 'n3']) expect([await allocated(b, name), await problem(b, name)]).toEqual([{}, POD_POOL_UNUSABLE.code]);
    await pool(b, 'none', { ipv4: { cidrs: ['172.16.0.0/24'], maskSize: 26 } });
    await b.settle(1_000);
    expect([await allocated(b, 'n1'), await problem(b, 'n1')]).toEqual([{ none: '172.16.0.0/26' }, undefined]);
    await end();
  });

  it('of pools that overlap are given once, and what two nodes have is told', async () => {
    const { b, end } = await started(async (b) => {
      for (const name of ['a', 'b']) await pool(b, name, { ipv4: { cidrs: ['172.16.0.0/24'], maskSize: name === 'a' ? 26 : 27 } });
      await node(b, 'n1', { a: [1, 0], b: [1, 0] });
      await node(b, 'n2', { b: [1, 0] }, [{ pool: 'b', cidrs: ['172.16.0.0/28'] }]);
      await node(b, 'n3', {}, [{ pool: 'gone', cidrs: ['172.16.0.0/27'] }]);
    });
    expect([await allocated(b, 'n1'), await allocated(b, 'n2')]).toEqual([
      { a: '172.16.0.64/26', b: '172.16.0.32/27' },
      { b: '172.16.0.0/28' },
    ]);
    expect(b.heard(IPAM_CIDR_CONFLICT.code)).toBe(1);
    await end();
  });
});
