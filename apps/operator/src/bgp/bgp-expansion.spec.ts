import { prometheusText } from '@isthmus/core';
import {
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_NODE_CONFIG_OVERRIDE,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_NODE,
  objectKey,
  type Resource,
  type ResourceKind,
  SECRET,
} from '@isthmus/model';
import { BGP_NODE_CONFIG_FOREIGN } from '../operator.errors.ts';
import { leaderBench } from '../testing/leader-bench.ts';

type Bench = ReturnType<typeof leaderBench>;

async function apply({ resources }: Bench, kind: object, name: string, spec: object, labels: Record<string, string> = {}): Promise<void> {
  const typed = kind as ResourceKind;
  await resources.apply(typed, {
    apiVersion: `cilium.io/${typed.version}`,
    kind: typed.kind,
    metadata: { name, labels },
    spec,
  } as Resource);
}

const node = (b: Bench, name: string, ips: string[], labels: Record<string, string> = {}): Promise<void> =>
  apply(b, CILIUM_NODE, name, { addresses: ips.map((ip) => ({ type: 'InternalIP', ip })) }, labels);

const config = (b: Bench, name: string, spec: object): Promise<void> => apply(b, CILIUM_BGP_CLUSTER_CONFIG, name, spec);

/** A cluster config of one instance. */
const instance = (fields: object, nodeSelector?: object): object => ({
  ...(nodeSelector && { nodeSelector }),
  bgpInstances: [{ name: 'main', localASN: 65001, ...fields }],
});
const tor = { name: 'tor', peerAddress: '192.0.2.1', peerASN: 65000, peerConfigRef: { name: 'tor' } };

const nodeConfigs = async ({ resources }: Bench) =>
  Object.fromEntries((await resources.list(CILIUM_BGP_NODE_CONFIG)).map(({ metadata, spec }) => [metadata.name, spec.bgpInstances]));

/** Conditions that hold, with their messages. */
async function problems({ resources }: Bench, kind: object, name: string): Promise<Record<string, string | undefined>> {
  const object = await resources.get(kind as ResourceKind, name);
  const { conditions = [] } = (object?.['status'] ?? {}) as { conditions?: { type: string; status: string; message: string }[] };
  return Object.fromEntries(conditions.filter(({ status }) => status === 'True').map(({ type, message }) => [type, message]));
}

async function started(setUp: (b: Bench) => Promise<void>) {
  const b = leaderBench();
  await setUp(b);
  const { end } = b.start();
  await b.settle();
  return { b, end };
}

describe('node configs', () => {
  it('follow cluster configs, selected nodes and overrides', async () => {
    const { b, end } = await started(async (b) => {
      await node(b, 'n1', ['172.30.1.1', 'fd30::1'], { rack: '1' });
      await node(b, 'n2', ['fd30::2'], { rack: '1' });
      await node(b, 'n3', ['172.30.1.3'], { rack: '2' });
      await config(
        b,
        'rack1',
        instance({ localPort: 179, peers: [tor, { name: 'dyn', peerRange: '10.0.0.0/8' }] }, { matchLabels: { rack: '1' } }),
      );
    });
    const main = { name: 'main', localASN: 65001, localPort: 179, peers: [tor, { name: 'dyn', peerRange: '10.0.0.0/8' }] };
    expect(await nodeConfigs(b)).toEqual({ n1: [{ ...main, routerID: '172.30.1.1' }], n2: [main] });
    const override = {
      name: 'main',
      routerID: '9.9.9.9',
      localPort: 1790,
      localASN: 65009,
      peers: [{ name: 'tor', localAddress: 'fd30::2' }],
    };
    await apply(b, CILIUM_BGP_NODE_CONFIG_OVERRIDE, 'n2', { bgpInstances: [{ name: 'other', localASN: 7 }, override] });
    await node(b, 'n1', ['172.30.1.1'], { rack: '2' });
    await b.settle();
    const peers = [{ ...tor, localAddress: 'fd30::2' }, main.peers[1]];
    expect(await nodeConfigs(b)).toEqual({ n2: [{ name: 'main', localASN: 65009, localPort: 1790, routerID: '9.9.9.9', peers }] });
    await b.resources.delete(CILIUM_NODE, 'n2');
    await b.settle();
    expect(await nodeConfigs(b)).toEqual({});
    await end();
  });

  it('keep the status that the agent writes, and what others made is left alone', async () => {
    const { b, end } = await started(async (b) => {
      await node(b, 'n1', []);
      await node(b, 'n2', []);
      await apply(b, CILIUM_BGP_NODE_CONFIG, 'n2', { bgpInstances: [{ name: 'by hand' }] });
      await apply(b, CILIUM_BGP_NODE_CONFIG, 'n9', { bgpInstances: [{ name: 'by hand' }] });
      await config(b, 'all', instance({ peers: [tor] }));
    });
    const status = { bgpInstances: [{ name: 'main', peers: [{ name: 'tor', peerAddress: '192.0.2.1', peeringState: 'established' }] }] };
    await b.resources.update(CILIUM_BGP_NODE_CONFIG, 'n1', undefined, (current) => current && { ...current, status });
    await config(b, 'all', instance({ localASN: 65002 }));
    await b.settle();
    const own = await b.resources.get(CILIUM_BGP_NODE_CONFIG, 'n1');
    expect(own).toMatchObject({ spec: { bgpInstances: [{ localASN: 65002 }] }, status, metadata: { ownerReferences: [{ name: 'all' }] } });
    expect(b.heard(BGP_NODE_CONFIG_FOREIGN.code)).toBe(1);
    const failures = (await prometheusText(b.metrics.set)).body.split('\n').filter((line) => line.startsWith('cilium_operator_bgp_'));
    expect(failures).toEqual([expect.stringContaining('errors_total{resource_kind="CiliumBGPNodeConfig",resource_name="n2"} ')]);
    await b.resources.delete(CILIUM_BGP_CLUSTER_CONFIG, 'all');
    await b.settle();
    expect(Object.keys(await nodeConfigs(b))).toEqual(['n2', 'n9']);
    await end();
  });

  it('that nobody wants any more go at the next start, and no earlier than all is read', async () => {
    const b = leaderBench();
    await node(b, 'n1', []);
    await node(b, 'n2', []);
    await config(b, 'all', instance({}));
    const first = b.start();
    await b.settle();
    await first.end();
    await b.resources.delete(CILIUM_NODE, 'n2');
    const second = b.start();
    await b.settle();
    expect(Object.keys(await nodeConfigs(b))).toEqual(['n1']);
    await second.end();
  });
});

describe('a mesh of nodes', () => {
  const mesh = (nodeMesh?: object) => ({
    name: 'mesh',
    autoDiscovery: { mode: 'NodeMesh', ...(nodeMesh && { nodeMesh }) },
    peerConfigRef: { name: 'm' },
  });
  const peersOf = async (b: Bench): Promise<Record<string, string[]>> =>
    Object.fromEntries(
      Object.entries(await nodeConfigs(b)).map(([name, [main]]) => [
        name,
        (main?.peers ?? []).map(
          (peer) => `${peer.name} ${peer.localAddress}>${peer.peerAddress} ${peer.peerASN}${peer.routeReflectorClient ? ' client' : ''}`,
        ),
      ]),
    );

  it('has a peer for each other node, of a family that both have', async () => {
    const { b, end } = await started(async (b) => {
      await node(b, 'n1', ['172.30.1.1', 'fd30::1']);
      await node(b, 'n2', ['fd30::2', '172.30.1.2']);
      await config(b, 'all', instance({ peers: [mesh(), tor] }));
    });
    expect(await nodeConfigs(b)).toMatchObject({ n1: [{ localPort: 179 }], n2: [{ localPort: 179 }] });
    expect(await peersOf(b)).toEqual({
      n1: ['mesh/n2 172.30.1.1>172.30.1.2 65001', 'tor undefined>192.0.2.1 65000'],
      n2: ['mesh/n1 172.30.1.2>172.30.1.1 65001', 'tor undefined>192.0.2.1 65000'],
    });
    await node(b, 'n3', ['fd30::3']);
    await apply(b, CILIUM_BGP_NODE_CONFIG_OVERRIDE, 'n2', {
      bgpInstances: [
        {
          name: 'main',
          localASN: 65002,
          peers: [
            { name: 'mesh', localAddress: 'fd30::22' },
            { name: 'mesh/n3', localAddress: 'fd30::23' },
          ],
        },
      ],
    });
    await b.settle();
    const now = await peersOf(b);
    expect(now['n3']).toEqual(['mesh/n1 fd30::3>fd30::1 65001', 'mesh/n2 fd30::3>fd30::2 65002', 'tor undefined>192.0.2.1 65000']);
    expect(now['n2']?.slice(0, 2)).toEqual(['mesh/n1 fd30::22>172.30.1.1 65001', 'mesh/n3 fd30::23>fd30::3 65001']);
    await node(b, 'n1', ['172.30.1.11']);
    await b.settle();
    expect((await peersOf(b))['n2']?.[0]).toBe('mesh/n1 fd30::22>172.30.1.11 65001');
    expect((await peersOf(b))['n3']?.[0]).toBe('mesh/n2 fd30::3>fd30::2 65002');
    await b.resources.delete(CILIUM_NODE, 'n3');
    await b.settle();
    expect((await peersOf(b))['n2']).toEqual(['mesh/n1 fd30::22>172.30.1.11 65001', 'tor undefined>192.0.2.1 65000']);
    await end();
  });

  it('has sessions with reflectors alone where there are some', async () => {
    const routeReflector = { clusterID: '10.0.0.1', nodeSelector: { matchLabels: { rr: 'yes' } } };
    const { b, end } = await started(async (b) => {
      for (const name of ['n1', 'n2']) await node(b, name, [`fd30::${name[1]}`], { rr: 'yes' });
      for (const name of ['n3', 'n4']) await node(b, name, [`fd30::${name[1]}`]);
      await config(b, 'all', instance({ peers: [mesh({ routeReflector, addressFamily: 'ipv6' })] }));
    });
    const brief = (peers: Record<string, string[]>) =>
      Object.fromEntries(Object.entries(peers).map(([k, v]) => [k, v.map((p) => p.replace(/ .*65001/, ''))]));
    expect(brief(await peersOf(b))).toEqual({
      n1: ['mesh/n2', 'mesh/n3 client', 'mesh/n4 client'],
      n2: ['mesh/n1', 'mesh/n3 client', 'mesh/n4 client'],
      n3: ['mesh/n1', 'mesh/n2'],
      n4: ['mesh/n1', 'mesh/n2'],
    });
    const ids = Object.entries(await nodeConfigs(b)).map(([name, [main]]) => [name, main?.routeReflectorClusterID]);
    expect(ids).toEqual([
      ['n1', '10.0.0.1'],
      ['n2', '10.0.0.1'],
      ['n3', undefined],
      ['n4', undefined],
    ]);
    await end();
  });
});

describe('conditions of BGP objects', () => {
  it('tell of selectors without nodes, missing peer configs, conflicts and BMP, as long as they are so', async () => {
    const { b, end } = await started(async (b) => {
      await node(b, 'n1', [], { rack: '1' });
      await config(b, 'b', instance({ peers: [tor] }, { matchLabels: { rack: '1' } }));
      await config(b, 'a', instance({ localASN: 65002 }, { matchExpressions: [{ key: 'rack', operator: 'Exists' }] }));
      await config(b, 'none', instance({ bmpServers: [{ name: 's', peerAddress: '::1' }] }, { matchLabels: { rack: '9' } }));
    });
    const conflict = { 'cilium.io/ConflictingClusterConfig': 'a, b select the same nodes, n1; each follows the first by name' };
    expect(await nodeConfigs(b)).toMatchObject({ n1: [{ localASN: 65002 }] });
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'a')).toEqual(conflict);
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'b')).toEqual({
      ...conflict,
      'cilium.io/MissingPeerConfigs': 'there is no CiliumBGPPeerConfig tor',
    });
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'none')).toEqual({
      'cilium.io/NoMatchingNode': 'the node selector selects no node',
      'isthmus.io/BMPUnsupported': 'bmpServers are kept and have no effect: Isthmus does not speak BMP',
    });
    await config(b, 'a', instance({ localASN: 65003 }, { matchLabels: { rack: '1' } }));
    await b.settle();
    expect(await nodeConfigs(b)).toMatchObject({ n1: [{ localASN: 65003 }] });
    await apply(b, CILIUM_BGP_PEER_CONFIG, 'tor', {});
    await b.resources.delete(CILIUM_BGP_CLUSTER_CONFIG, 'a');
    await config(b, 'none', instance({}, { matchLabels: { rack: '1' } }));
    await b.resources.delete(CILIUM_BGP_CLUSTER_CONFIG, 'b');
    await b.settle();
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'none')).toEqual({});
    expect(Object.keys(await nodeConfigs(b))).toEqual(['n1']);
    await end();
  });

  it('tell of a mesh without a reflector, which has no sessions', async () => {
    const routeReflector = { clusterID: '10.0.0.1', nodeSelector: { matchLabels: { rr: 'yes' } } };
    const peers = [{ name: 'mesh', autoDiscovery: { mode: 'NodeMesh', nodeMesh: { routeReflector } } }];
    const { b, end } = await started(async (b) => {
      await node(b, 'n1', ['fd30::1']);
      await node(b, 'n2', ['fd30::2']);
      await config(b, 'all', instance({ peers }));
    });
    const message = 'no node that follows this config is a reflector of mesh';
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'all')).toEqual({ 'isthmus.io/NoRouteReflector': message });
    await node(b, 'n2', ['fd30::2'], { rr: 'yes' });
    await b.settle();
    expect(await problems(b, CILIUM_BGP_CLUSTER_CONFIG, 'all')).toEqual({});
    await end();
  });

  it('tell of a missing secret when it is missing, and of one without a password', async () => {
    const password = (data: Record<string, string>) =>
      ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'md5', namespace: 'kube-system' }, data }) as const;
    const { b, end } = await started(async (b) => {
      await apply(b, CILIUM_BGP_PEER_CONFIG, 'open', {});
      await apply(b, CILIUM_BGP_PEER_CONFIG, 'tor', { authSecretRef: 'md5' });
      await b.resources.apply(SECRET, { ...password({ password: 'eA==' }), metadata: { name: 'md5', namespace: 'elsewhere' } });
    });
    const of = (name: string) => problems(b, CILIUM_BGP_PEER_CONFIG, name);
    const missing = (message: string) => ({ 'cilium.io/MissingAuthSecret': `${message}; sessions wait for it` });
    expect(await of('tor')).toEqual(missing('there is no Secret kube-system/md5'));
    await b.resources.apply(SECRET, password({ other: 'eA==' }));
    await b.settle();
    expect(await of('tor')).toEqual(missing('Secret kube-system/md5 has no password'));
    await b.resources.apply(SECRET, password({ password: 'eA==' }));
    await b.settle();
    expect(await of('tor')).toEqual({});
    expect((await b.resources.get(CILIUM_BGP_PEER_CONFIG, 'open'))?.status).toBeUndefined();
    expect(JSON.stringify(b.said)).not.toContain('eA==');
    await end();
  });

  it('do not wait for secrets that may not be read, nor does anything else', async () => {
    const b = leaderBench();
    const list = b.kv.list.bind(b.kv);
    b.kv.list = async function* (prefix, options) {
      if (prefix.startsWith(objectKey(SECRET as unknown as ResourceKind, '', 'kube-system'))) throw new Error('not allowed');
      yield* list(prefix, options);
    };
    await node(b, 'n1', []);
    await config(b, 'all', instance({}));
    await apply(b, CILIUM_BGP_PEER_CONFIG, 'tor', { authSecretRef: 'md5' });
    const { end } = b.start();
    await b.settle(5_000);
    expect(Object.keys(await nodeConfigs(b))).toEqual(['n1']);
    expect((await b.resources.get(CILIUM_BGP_PEER_CONFIG, 'tor'))?.status).toBeUndefined();
    await end();
  });
});
