import { IPAM_CIDR_CONFLICT, IPAM_CLUSTER_EXHAUSTED } from '@isthmus/ipam';
import {
  CILIUM_NODE,
  type CiliumNode,
  CONFIG_INVALID,
  ENDPOINT_SLICE,
  kindPrefix,
  POD,
  type Resource,
  type ResourceKind,
  SERVICE,
  type Service,
} from '@isthmus/model';
import { SERVICE_IP_EXHAUSTED, SLICE_FOREIGN } from './operator.errors.ts';
import { leaderBench } from './testing/leader-bench.ts';

type Bench = ReturnType<typeof leaderBench>;

async function addPod({ resources }: Bench, name: string, ip: string): Promise<void> {
  await resources.update(POD, name, 'shop', () => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web', pod: name } },
    status: { podIPs: [{ ip }] },
  }));
}

function service(name: string, spec: Service['spec'] = {}): Service {
  const full = { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec: full };
}

function node(name: string, podCIDRs?: string[]): CiliumNode {
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name }, spec: podCIDRs ? { ipam: { podCIDRs } } : {} };
}

async function cidrsOf({ resources }: Bench): Promise<(string | undefined)[]> {
  return (await resources.list(CILIUM_NODE)).map(({ metadata, spec }) => `${metadata.name} ${spec.ipam?.podCIDRs?.join(' ') ?? '-'}`);
}

/** Keeps the listing of a kind from being delivered until released. */
function holdListing(b: Bench, kind: ResourceKind<never>): () => void {
  const prefix = kindPrefix(kind as unknown as ResourceKind);
  const list = b.kv.list.bind(b.kv);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  b.kv.list = async function* (wanted, options) {
    if (wanted === prefix) await gate;
    yield* list(wanted, options);
  };
  return () => release();
}

describe('endpoint slices', () => {
  it('follow services and pods', async () => {
    const b = leaderBench();
    await b.resources.apply(SERVICE, service('web'));
    await addPod(b, 'a', '10.1.0.1');
    const { end } = b.start();
    await b.settle();
    expect(await b.slices()).toEqual([
      ['web-v4', 1],
      ['web-v6', 0],
    ]);
    await addPod(b, 'b', '10.1.0.2');
    await b.resources.apply(SERVICE, service('only-b', { selector: { app: 'web', pod: 'b' }, ipFamilies: ['IPv4'] }));
    await b.settle();
    expect(await b.slices()).toEqual([
      ['only-b-v4', 1],
      ['web-v4', 2],
      ['web-v6', 0],
    ]);
    await b.resources.update(POD, 'b', 'shop', (pod) => ({ ...pod!, metadata: { ...pod!.metadata, labels: { app: 'other' } } }));
    await b.settle();
    expect(await b.slices()).toEqual([
      ['only-b-v4', 0],
      ['web-v4', 1],
      ['web-v6', 0],
    ]);
    await b.resources.delete(SERVICE, 'web', 'shop');
    await b.settle();
    expect(await b.slices()).toEqual([['only-b-v4', 0]]);
    await end();
  });

  it('are written as Kubernetes writes them', async () => {
    const b = leaderBench();
    await b.resources.apply(SERVICE, service('web', { ipFamilies: ['IPv4'] }));
    await addPod(b, 'a', '10.1.0.1');
    const { end } = b.start();
    await b.settle();
    expect(await b.resources.get(ENDPOINT_SLICE, 'web-v4', 'shop')).toMatchObject({
      addressType: 'IPv4',
      metadata: { labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'isthmus-operator' } },
      endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true, serving: true, terminating: false }, targetRef: { name: 'a' } }],
      ports: [{ name: '', protocol: 'TCP', port: 80 }],
    });
    await end();
  });

  it('are neither written nor removed before pods and services are both read', async () => {
    for (const held of [POD, SERVICE] as ResourceKind<never>[]) {
      const b = leaderBench();
      await b.resources.apply(SERVICE, service('web', { ipFamilies: ['IPv4'] }));
      await addPod(b, 'a', '10.1.0.1');
      const first = b.start();
      await b.settle();
      await first.end();
      const release = holdListing(b, held);
      const second = b.start();
      await b.settle(5_000);
      expect(await b.slices()).toEqual([['web-v4', 1]]);
      expect(second.duties.synced).toBe(false);
      release();
      await b.settle(5_000);
      expect(await b.slices()).toEqual([['web-v4', 1]]);
      expect((await b.resources.get(ENDPOINT_SLICE, 'web-v4', 'shop'))?.metadata.uid).toMatch(/./);
      await second.end();
    }
  });

  it('go when their service went while nobody led', async () => {
    const b = leaderBench();
    await b.resources.apply(SERVICE, service('web'));
    const first = b.start();
    await b.settle();
    await first.end();
    expect(await b.slices()).toHaveLength(2);
    await b.resources.delete(SERVICE, 'web', 'shop');
    const second = b.start();
    await b.settle();
    expect(await b.slices()).toEqual([]);
    await second.end();
  });

  it('are written again when the etcd is restored from before they were', async () => {
    const b = leaderBench();
    await b.resources.apply(SERVICE, service('web'));
    await addPod(b, 'web-1', '10.1.0.5');
    await b.resources.apply(CILIUM_NODE, node('n1', ['10.1.0.0/24', 'fd00:1::/120']));
    const before = b.server.snapshot();
    const { end } = b.start();
    await b.settle();
    const written = await b.slices();
    expect(written).toEqual([
      ['web-v4', 1],
      ['web-v6', 0],
    ]);
    b.server.restore(before);
    expect(await b.slices()).toEqual([]);
    await b.settle(60_000);
    expect(await b.slices()).toEqual(written);
    await end();
  });

  it('of others are left alone', async () => {
    const b = leaderBench();
    const foreign = (name: string) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4' as const,
      endpoints: [{ addresses: ['192.0.2.1'] }],
      ports: [],
    });
    await b.resources.apply(ENDPOINT_SLICE, foreign('by-hand'));
    await b.resources.apply(ENDPOINT_SLICE, foreign('web-v4'));
    await b.resources.apply(SERVICE, service('web', { ipFamilies: ['IPv4'] }));
    const { end } = b.start();
    await b.settle(120_000);
    expect(await b.slices()).toEqual([
      ['by-hand', 1],
      ['web-v4', 1],
    ]);
    expect(b.heard(SLICE_FOREIGN.code)).toBe(1); // though it was tried many times
    await b.resources.delete(SERVICE, 'web', 'shop');
    await b.settle(120_000);
    expect(await b.slices()).toHaveLength(2);
    await end();
  });
});

describe('pod CIDRs', () => {
  it('are given per family, and what nodes have is adopted first', async () => {
    const b = leaderBench();
    await b.resources.apply(CILIUM_NODE, node('c', ['10.1.0.0/24']));
    await b.resources.apply(CILIUM_NODE, node('d', ['10.1.2.0/23', 'fd00:1::/120']));
    await b.resources.apply(CILIUM_NODE, node('a'));
    const { end } = b.start();
    await b.settle();
    for (const name of ['b', 'e', 'f']) await b.resources.apply(CILIUM_NODE, node(name));
    await b.settle();
    const all = (await b.resources.list(CILIUM_NODE)).flatMap(({ spec }) => spec.ipam?.podCIDRs ?? []);
    expect(all).toHaveLength(12);
    expect(new Set(all).size).toBe(12);
    expect(await cidrsOf(b)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^c 10\.1\.0\.0\/24 fd00:1::/), 'd 10.1.2.0/23 fd00:1::/120']),
    );
    expect(all.filter((cidr) => ['10.1.2.0/24', '10.1.3.0/24'].includes(cidr))).toEqual([]);
    await end();
  });

  it('are not given twice by the next leader', async () => {
    const b = leaderBench();
    await b.resources.apply(CILIUM_NODE, node('a'));
    const first = b.start();
    await b.settle();
    await first.end();
    await b.resources.apply(CILIUM_NODE, node('b'));
    const second = b.start();
    await b.settle();
    expect(await cidrsOf(b)).toEqual(['a 10.1.0.0/24 fd00:1::/120', 'b 10.1.1.0/24 fd00:1::100/120']);
    await second.end();
  });

  it('stay one and the same for a node whose write has no known outcome', async () => {
    const b = leaderBench({ 'enable-ipv6': 'false' });
    await b.resources.apply(CILIUM_NODE, node('a'));
    const txn = b.kv.txn.bind(b.kv);
    let lost = 0;
    b.kv.txn = async (request, options) => {
      if (request.success.some((op) => 'key' in op && op.key.includes('ciliumnodes')) && lost++ < 2) throw new Error('no answer');
      return txn(request, options);
    };
    const { end } = b.start();
    await b.settle(5_000);
    await b.resources.apply(CILIUM_NODE, node('b'));
    await b.settle(5_000);
    expect(await cidrsOf(b)).toEqual(['a 10.1.0.0/24', 'b 10.1.1.0/24']);
    await end();
  });

  it('that run out are told of in the node, and given once there are some', async () => {
    const b = leaderBench({ 'cluster-pool-ipv4-cidr': '10.1.0.0/24', 'enable-ipv6': 'false' });
    await b.resources.apply(CILIUM_NODE, node('a'));
    const { end } = b.start();
    await b.settle();
    await b.resources.apply(CILIUM_NODE, node('b'));
    await b.settle();
    const conditions = async () => (await b.resources.get(CILIUM_NODE, 'b'))?.status?.['conditions'];
    expect(await conditions()).toMatchObject([
      {
        type: 'PodCIDRsAllocated',
        status: 'False',
        reason: IPAM_CLUSTER_EXHAUSTED.code,
        message: expect.stringMatching(/node b.*10\.1\.0\.0\/24/),
      },
    ]);
    await b.settle(120_000);
    expect(b.heard(IPAM_CLUSTER_EXHAUSTED.code)).toBe(1);
    await b.resources.delete(CILIUM_NODE, 'a');
    await b.settle(60_000);
    expect(await cidrsOf(b)).toEqual(['b 10.1.0.0/24']);
    expect(await conditions()).toMatchObject([{ status: 'True' }]);
    await end();
  });

  it('that overlap are told of, and changed by nobody', async () => {
    const b = leaderBench({ 'enable-ipv6': 'false' });
    await b.resources.apply(CILIUM_NODE, node('a', ['10.1.0.0/24']));
    await b.resources.apply(CILIUM_NODE, node('b', ['10.1.0.0/25']));
    const { end } = b.start();
    await b.settle();
    expect(b.heard(IPAM_CIDR_CONFLICT.code)).toBe(1);
    expect(await cidrsOf(b)).toEqual(['a 10.1.0.0/24', 'b 10.1.0.0/25']);
    await end();
  });

  it('come from pools that can be', () => {
    expect(() => leaderBench({ 'cluster-pool-ipv4-cidr': 'fd00::/64' })).toThrow(expect.objectContaining({ code: CONFIG_INVALID.code }));
    expect(() => leaderBench({ 'cluster-pool-ipv4-cidr': '10.0.0.0/28' })).toThrow('smaller than a node');
  });
});

describe('cluster IPs', () => {
  const RANGES = { 'service-cidr-ipv4': '10.101.0.0/29', 'service-cidr-ipv6': 'fd00:101::/112' };
  const ipsOf = async ({ resources }: Bench, name: string) => (await resources.get(SERVICE, name, 'shop'))?.spec.clusterIPs;

  it('are given to services that lack them, of each configured family', async () => {
    const b = leaderBench(RANGES);
    await b.resources.apply(SERVICE, service('fixed', { clusterIP: '10.101.0.2', clusterIPs: ['10.101.0.2'] }));
    await b.resources.apply(SERVICE, service('web'));
    await b.resources.apply(SERVICE, service('six', { ipFamilies: ['IPv6'] }));
    await b.resources.apply(SERVICE, service('headless', { clusterIP: 'None' }));
    const { end } = b.start();
    await b.settle();
    expect(await ipsOf(b, 'web')).toEqual(['10.101.0.3', expect.stringMatching(/^fd00:101::/)]);
    expect(await ipsOf(b, 'six')).toEqual([expect.stringMatching(/^fd00:101::/)]);
    expect(await ipsOf(b, 'headless')).toBeUndefined();
    expect(await ipsOf(b, 'fixed')).toEqual(['10.101.0.2']);
    expect((await b.resources.get(SERVICE, 'web', 'shop'))?.spec).toMatchObject({ clusterIP: '10.101.0.3', ipFamilies: ['IPv4', 'IPv6'] });
    await end();
  });

  it('that run out are told of with service and range, and come back when one is freed', async () => {
    const b = leaderBench({ 'service-cidr-ipv4': '10.101.0.0/29' });
    const { end } = b.start();
    for (let i = 0; i < 6; i++) await b.resources.apply(SERVICE, service(`s${i}`));
    await b.settle();
    const status = (await b.resources.get(SERVICE, 's5', 'shop'))?.['status'];
    const message = expect.stringMatching(/shop\/s5.*10\.101\.0\.0\/29/);
    expect(status).toMatchObject({ conditions: [{ status: 'False', reason: SERVICE_IP_EXHAUSTED.code, message }] });
    await b.resources.delete(SERVICE, 's0', 'shop');
    await b.settle(180_000);
    expect(await ipsOf(b, 's5')).toEqual(['10.101.0.2']);
    await end();
  });

  it('are nobody’s business where no range is configured', async () => {
    const b = leaderBench();
    await b.resources.apply(SERVICE, service('web'));
    const { end } = b.start();
    await b.settle();
    expect(await ipsOf(b, 'web')).toBeUndefined();
    await end();
  });
});

describe('LeaderDuties', () => {
  it('collects nodes and identities on the way', async () => {
    const b = leaderBench();
    await b.kv.put('cilium/state/nodes/v1/east/ghost', '{}');
    await b.kv.put('cilium/state/identities/v1/id/65999', 'k8s:app=old;');
    const { end } = b.start();
    await b.settle();
    await b.settle(310_000);
    expect(await b.kv.get('cilium/state/nodes/v1/east/ghost')).toBeUndefined();
    expect(await b.kv.get('cilium/state/identities/v1/id/65999')).toBeDefined();
    await b.settle(610_000);
    expect(await b.kv.get('cilium/state/identities/v1/id/65999')).toBeUndefined();
    await end();
  });

  it('says which object is invalid, and works on', async () => {
    const b = leaderBench();
    await b.kv.put(`${kindPrefix(SERVICE as unknown as ResourceKind<Resource>)}shop/bad`, '{}');
    await b.resources.apply(SERVICE, service('web'));
    const { end } = b.start();
    await b.settle();
    expect(b.said.some((line) => line.includes('"key":"shop/bad"') && line.includes('RESOURCE_INVALID'))).toBe(true);
    expect(await b.slices()).toHaveLength(2);
    await end();
  });
});
