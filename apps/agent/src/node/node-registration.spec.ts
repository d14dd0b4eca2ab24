import { ManualClock, seededRandom } from '@isthmus/core';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { CILIUM_NODE, type CiliumNode } from '@isthmus/model';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';
import { NodeRegistration, type NodeRegistrationOptions } from './node-registration.ts';

function fixture(changes: Partial<NodeRegistrationOptions> = {}) {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  let uid = 0;
  const resources = new KvResources({ kv: server.connect(), clock, random: seededRandom(1), newUid: () => `u${++uid}` });
  const heard: string[][] = [];
  const errors: unknown[] = [];
  const refusals: unknown[] = [];
  const labels: unknown[] = [];
  let podHost: PodAddresses | undefined;
  const registration = new NodeRegistration({
    resources,
    own: { name: 'n1', ipv4: '172.30.1.1', ipv6: '', bootId: 'boot-1' },
    podHost: () => podHost,
    onPodCidrs: (cidrs) => {
      heard.push([...cidrs]);
      podHost = { ipv4: '10.1.0.1', ipv6: '' };
    },
    onRefused: (reason) => refusals.push(reason),
    onLabels: (each) => labels.push(each),
    clock,
    random: seededRandom(2),
    onError: (error) => errors.push(error),
    ...changes,
  });
  const stop = new AbortController();
  const running = registration.run(stop.signal);
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      clock.advance(ms / 40);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  const node = () => resources.get<CiliumNode>(CILIUM_NODE, 'n1');
  const give = (podCIDRs: string[]) =>
    resources.update<CiliumNode>(
      CILIUM_NODE,
      'n1',
      undefined,
      (current) => current && { ...current, spec: { ...current.spec, ipam: { podCIDRs } } },
    );
  return { server, resources, heard, errors, refusals, labels, settle, end, node, give };
}

describe('NodeRegistration', () => {
  it('tells the labels of the node, whenever they are others', async () => {
    const { settle, end, resources, labels } = fixture();
    await settle();
    await resources.update<CiliumNode>(CILIUM_NODE, 'n1', undefined, (current) => {
      return current && { ...current, metadata: { ...current.metadata, labels: { ...current.metadata.labels, a: 'b' } } };
    });
    await settle();
    expect([labels[0], labels.at(-1)]).toEqual([{ 'kubernetes.io/hostname': 'n1' }, { 'kubernetes.io/hostname': 'n1', a: 'b' }]);
    await end();
  });

  it('creates the node, hears its CIDRs, and adds the host’s addresses that follow from them', async () => {
    const { settle, end, node, give, heard } = fixture();
    await settle();
    expect((await node())?.spec).toMatchObject({ addresses: [{ type: 'InternalIP', ip: '172.30.1.1' }], bootid: 'boot-1' });
    expect((await node())?.metadata.labels).toEqual({ 'kubernetes.io/hostname': 'n1' });
    await give(['10.1.0.0/24']);
    await settle();
    expect(heard.at(-1)).toEqual(['10.1.0.0/24']);
    expect((await node())?.spec.addresses).toEqual([
      { type: 'InternalIP', ip: '172.30.1.1' },
      { type: 'CiliumInternalIP', ip: '10.1.0.1' },
    ]);
    await end();
  });

  it('puts its name among the labels, leaves those of others alone, and gives way to another name', async () => {
    const { settle, end, node, resources } = fixture();
    await settle();
    const label = (labels: Record<string, string>) =>
      resources.update<CiliumNode>(
        CILIUM_NODE,
        'n1',
        undefined,
        (current) => current && { ...current, metadata: { ...current.metadata, labels } },
      );
    await label({ rack: '1' });
    await settle();
    expect((await node())?.metadata.labels).toEqual({ 'kubernetes.io/hostname': 'n1', rack: '1' });
    await label({ 'kubernetes.io/hostname': 'n1.example' });
    await settle();
    expect((await node())?.metadata.labels).toEqual({ 'kubernetes.io/hostname': 'n1.example' });
    await end();
  });

  it('hears why the operator has no CIDRs, and when it has them again', async () => {
    const { settle, end, give, resources, refusals } = fixture();
    await settle();
    expect(refusals.at(-1)).toBeUndefined();
    const condition = { type: 'PodCIDRsAllocated', status: 'False', reason: 'IPAM_CLUSTER_EXHAUSTED', message: 'no IPv4 CIDR is free.' };
    await resources.update<CiliumNode>(CILIUM_NODE, 'n1', undefined, (node) => node && { ...node, status: { conditions: [condition] } });
    await settle();
    expect(refusals.at(-1)).toBe('IPAM_CLUSTER_EXHAUSTED: no IPv4 CIDR is free.');
    await resources.update<CiliumNode>(CILIUM_NODE, 'n1', undefined, (node) => {
      return node && { ...node, status: { conditions: [{ ...condition, status: 'True' }] } };
    });
    await give(['10.1.0.0/24']);
    await settle();
    expect(refusals.at(-1)).toBeUndefined();
    await end();
  });

  it('does not write when nothing changed, so that registering never answers itself', async () => {
    const { settle, end, give, server } = fixture();
    await settle();
    await give(['10.1.0.0/24']);
    await settle();
    const { revision } = server;
    await settle(60_000);
    expect(server.revision).toBe(revision);
    await end();
  });

  it('registers again when somebody removes the node, or after a reboot', async () => {
    const { settle, end, node, resources } = fixture();
    await settle();
    await resources.delete(CILIUM_NODE, 'n1');
    await settle();
    expect(await node()).toBeDefined();
    await resources.update<CiliumNode>(
      CILIUM_NODE,
      'n1',
      undefined,
      (current) => current && { ...current, spec: { ...current.spec, bootid: 'boot-0' } },
    );
    await settle();
    expect((await node())?.spec.bootid).toBe('boot-1');
    await end();
  });

  it('leaves alone what others write', async () => {
    const { settle, end, node, resources } = fixture();
    await settle();
    await resources.update<CiliumNode>(
      CILIUM_NODE,
      'n1',
      undefined,
      (current) =>
        current && { ...current, metadata: { ...current.metadata, labels: { zone: 'a' } }, spec: { ...current.spec, custom: 1 } },
    );
    await settle();
    expect(await node()).toMatchObject({ metadata: { labels: { zone: 'a' } }, spec: { custom: 1 } });
    await end();
  });

  it('keeps the CIDRs that it has when the record loses them', async () => {
    const { settle, end, give, heard } = fixture();
    await settle();
    await give(['10.1.0.0/24']);
    await settle();
    await give([]);
    await settle();
    expect(heard.every((cidrs) => cidrs.length === 1)).toBe(true);
    await end();
  });

  it('waits for the etcd for as long as it takes', async () => {
    const { server, settle, end, node, errors } = fixture();
    server.stop();
    await settle(60_000);
    expect(errors.length).toBeGreaterThan(2);
    server.start();
    await settle(30_000);
    expect(await node()).toBeDefined();
    await end();
  });

  it('reports CIDRs that cannot be used, and offers them again', async () => {
    let refuse = true;
    const taken: string[] = [];
    const { settle, end, give, errors } = fixture({
      onPodCidrs: (cidrs) => {
        if (refuse) throw new Error('disk full');
        taken.push(...cidrs);
      },
    });
    await settle();
    await give(['10.1.0.0/24']);
    await settle();
    expect(errors.map(String)).toContain('Error: disk full');
    refuse = false;
    await settle(30_000);
    expect(taken).toContain('10.1.0.0/24');
    await end();
  });
});
