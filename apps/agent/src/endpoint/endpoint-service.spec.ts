import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endpointFixture, temporaryState } from './endpoint-fixture.ts';
import { FakePodNetwork } from './fake-pod-network.ts';
import { hostInterfaceName } from './pod-network.ts';

const never = new AbortController().signal;
const broken = new Error('broken');

describe('EndpointService', () => {
  let state: ReturnType<typeof temporaryState>;
  beforeEach(() => {
    state = temporaryState();
  });
  afterEach(() => state.remove());

  it('gives a pod device, addresses, number and identity, and keeps them on disk', async () => {
    const { service, request, endpoints, saved, network } = endpointFixture(state.path);
    const row = await service.add(request('c1'), never);
    expect(row).toMatchObject({ id: 1, ipv4: '10.1.0.2', ipv6: 'fd00:1::2', identity: 65_800, labels: 'k8s:app=web;', mtu: 1450 });
    expect(endpoints.get('1')).toEqual(row);
    expect(saved()).toEqual([row]);
    expect([...network.devices.keys()]).toEqual([hostInterfaceName('c1', 'eth0')]);
  });

  it('is known to the datapath before it has its identity, and returns only when the datapath has that too', async () => {
    const identity = Promise.withResolvers<number>();
    const settled = Promise.withResolvers<void>();
    const asked: number[] = [];
    const { service, request, endpoints, saved } = endpointFixture(state.path, {
      identities: { allocate: () => identity.promise },
      settled: (row) => {
        asked.push(row.identity);
        return settled.promise;
      },
    });
    let done = false;
    const adding = service.add(request('c1'), never).then(() => {
      done = true;
    });
    await until(() => endpoints.size === 1);
    expect(endpoints.get('1')?.identity).toBe(0);
    identity.resolve(65_801);
    await until(() => asked.length === 1);
    expect([asked, saved().length, done]).toEqual([[65_801], 1, false]);
    settled.resolve();
    await adding;
    expect(done).toBe(true);
  });

  const failures: [string, (fixture: ReturnType<typeof endpointFixture>) => void][] = [
    ['labels', ({ dependencies }) => Object.assign(dependencies, { labelsOf: () => Promise.reject(broken) })],
    ['gateway', ({ dependencies }) => Object.assign(dependencies, { node: { podMtu: 0, gateway: throwing } })],
    ['ipam', ({ dependencies }) => Object.assign(dependencies, { ipam: { release: () => undefined, allocate: throwing } })],
    ['network', ({ network }) => Object.assign(network, { createFails: broken })],
    ['ids', ({ dependencies }) => Object.assign(dependencies.ids, { idOf: throwing })],
    ['identity', ({ dependencies }) => Object.assign(dependencies, { identities: { allocate: () => Promise.reject(broken) } })],
    ['save', ({ dependencies }) => Object.assign(dependencies.files, { save: throwing })],
    ['settled', ({ dependencies }) => Object.assign(dependencies, { settled: () => Promise.reject(broken) })],
  ];
  it.each(failures)('leaves nothing behind when it fails at %s', async (_step, inject) => {
    const fixture = endpointFixture(state.path);
    inject(fixture);
    await expect(fixture.service.add(fixture.request('c1'), never)).rejects.toBe(broken);
    expect(fixture.endpoints.size).toBe(0);
    expect(fixture.saved()).toEqual([]);
    expect(fixture.network.devices.size).toBe(0);
    expect(fixture.leftovers).toEqual([]);
    // Addresses rest first.
    fixture.clock.advance(30_000);
    for (const owner of ['a', 'b', 'c', 'd', 'e']) expect(fixture.ipam.allocate(owner).ipv4).not.toBe('');
  });

  it('fails when the disk does, and forgets the endpoint', async () => {
    const { service, request, endpoints, network } = endpointFixture(state.path);
    rmSync(join(state.path, 'endpoints'), { recursive: true });
    await expect(service.add(request('c1'), never)).rejects.toMatchObject({ code: 'STATE_NOT_SAVED' });
    expect([endpoints.size, network.devices.size]).toEqual([0, 0]);
    mkdirSync(join(state.path, 'endpoints'));
    chmodSync(join(state.path, 'endpoints'), 0o700);
    expect((await service.add(request('c1'), never)).identity).toBe(65_800);
  });

  it('gives up when the caller has gone, and takes everything back', async () => {
    const gone = new AbortController();
    const identity = Promise.withResolvers<number>();
    const { service, request, endpoints, network } = endpointFixture(state.path, { identities: { allocate: () => identity.promise } });
    const adding = service.add(request('c1'), gone.signal);
    await until(() => endpoints.size === 1);
    gone.abort(broken);
    identity.resolve(65_800);
    await expect(adding).rejects.toBe(broken);
    expect([endpoints.size, network.devices.size]).toEqual([0, 0]);
  });

  it('reports a device that a failed ADD could not take back, and keeps its addresses until DEL', async () => {
    const network = new FakePodNetwork();
    const settled = async (): Promise<never> => {
      network.removeFails = new Error('busy');
      throw broken;
    };
    const { service, request, endpoints, leftovers, ipam } = endpointFixture(state.path, { settled }, network);
    await expect(service.add(request('c1'), never)).rejects.toBe(broken);
    expect(leftovers).toEqual([expect.objectContaining({ containerId: 'c1' })]);
    expect(endpoints.get('1')?.ipv4).toBe('10.1.0.2');
    expect(() => ipam.adopt('other', { ipv4: '10.1.0.2', ipv6: '' })).toThrow(expect.objectContaining({ code: 'IPAM_ADDRESS_TAKEN' }));
    await expect(service.remove('c1', 'eth0')).rejects.toThrow('busy');
    network.removeFails = undefined;
    expect(await service.remove('c1', 'eth0')).toBe(true);
    expect(endpoints.size).toBe(0);
  });

  it('makes one endpoint of parallel ADDs of one container: the first one', async () => {
    const { service, request, endpoints, network } = endpointFixture(state.path);
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => service.add(request('c1'), never)));
    expect(outcomes).toEqual([
      expect.objectContaining({ status: 'fulfilled' }),
      ...[1, 2].map(() => expect.objectContaining({ reason: expect.objectContaining({ code: 'ENDPOINT_EXISTS' }) })),
    ]);
    expect([endpoints.size, network.devices.size]).toEqual([1, 1]);
  });

  it('gives parallel ADDs of different containers different addresses', async () => {
    const { service, request } = endpointFixture(state.path);
    const rows = await Promise.all(['c1', 'c2', 'c3'].map((id) => service.add(request(id), never)));
    expect(new Set(rows.flatMap((row) => [row.ipv4, row.ipv6, row.id])).size).toBe(9);
  });

  it('refuses a second ADD of the same interface, whatever else it says, and leaves the first one as it is', async () => {
    const { service, request, network, endpoints, saved } = endpointFixture(state.path);
    const row = await service.add(request('c1'), never);
    for (const again of [request('c1'), { ...request('c1'), netns: '/run/netns/other' }, request('c1', 'db')])
      await expect(service.add(again, never)).rejects.toMatchObject({ code: 'ENDPOINT_EXISTS', object: 'shop/web' });
    expect([endpoints.get('1'), saved(), network.devices.size]).toEqual([row, [row], 1]);
    expect((await service.add({ ...request('c1'), podInterface: 'net1' }, never)).id).toBe(2);
  });

  it('makes an endpoint anew when its device is gone', async () => {
    const { service, request, network, endpoints } = endpointFixture(state.path);
    const first = await service.add(request('c1'), never);
    network.devices.clear();
    expect((await service.add(request('c1'), never)).ipv4).not.toBe(first.ipv4);
    expect(endpoints.size).toBe(1);
  });

  it('takes away the device of a half-made endpoint before it makes it anew', async () => {
    const { service, request, network } = endpointFixture(state.path);
    network.devices.set(hostInterfaceName('c1', 'eth0'), { index: 1, network: {} as never });
    expect((await service.add(request('c1'), never)).ifindex).not.toBe(1);
  });

  it('never touches a device that is another endpoint’s, though it would have the same name', async () => {
    const { service, request, network, endpoints, dependencies } = endpointFixture(state.path);
    const row = await service.add(request('c1'), never);
    const name = hostInterfaceName('c2', 'eth0');
    network.devices.set(name, { index: 5, network: {} as never });
    dependencies.endpoints.put('1', { ...row, interfaceName: name, ifindex: 5 });
    await expect(service.add(request('c2'), never)).rejects.toMatchObject({
      code: 'ENDPOINT_EXISTS',
      message: expect.stringContaining(name),
    });
    expect(await service.remove('c2', 'eth0')).toBe(false);
    expect([network.devices.has(name), endpoints.size]).toEqual([true, 1]);
  });

  it('is on disk before its device is made, as one that no agent takes over, until the datapath has it', async () => {
    const settled = Promise.withResolvers<void>();
    const seen: number[] = [];
    const fixture = endpointFixture(state.path, { settled: () => settled.promise });
    const create = fixture.network.create.bind(fixture.network);
    fixture.network.create = (network) => {
      seen.push(...fixture.saved().map((row) => row.identity));
      return create(network);
    };
    const adding = fixture.service.add(fixture.request('c1'), never);
    await until(() => fixture.endpoints.get('1')?.identity === 65_800);
    fixture.service.relabel(fixture.endpoints.get('1')!, 'k8s:app=db;', 65_900);
    expect([seen, fixture.saved().map((row) => row.identity)]).toEqual([[0], [0]]);
    settled.resolve();
    expect((await adding).labels).toBe('k8s:app=db;');
    expect(fixture.saved().map((row) => row.identity)).toEqual([65_900]);
  });

  it.each([
    ['namespace', 'NETNS_MISSING', ({ network }: ReturnType<typeof endpointFixture>) => network.gone.add('/run/netns/c1')],
    ['device', 'ENDPOINT_BROKEN', ({ network }: ReturnType<typeof endpointFixture>) => network.devices.clear()],
  ])('fails when the %s went while it was made, and leaves nothing', async (_, code, lose) => {
    const settled = Promise.withResolvers<void>();
    const fixture = endpointFixture(state.path, { settled: () => settled.promise });
    const adding = fixture.service.add(fixture.request('c1'), never);
    await until(() => fixture.endpoints.get('1')?.identity === 65_800);
    lose(fixture);
    settled.resolve();
    await expect(adding).rejects.toMatchObject({ code });
    expect([fixture.endpoints.size, fixture.saved(), fixture.network.devices.size]).toEqual([0, [], 0]);
  });

  it('finishes an endpoint whose ADD could not be taken back', async () => {
    let fail = true;
    const fixture = endpointFixture(state.path, { identities: { allocate: async () => (fail ? Promise.reject(broken) : 65_800) } });
    const create = fixture.network.create.bind(fixture.network);
    fixture.network.create = (network) => {
      fixture.network.removeFails = new Error('busy');
      return create(network);
    };
    await expect(fixture.service.add(fixture.request('c1'), never)).rejects.toBe(broken);
    expect(fixture.endpoints.get('1')?.identity).toBe(0);
    fixture.network.removeFails = undefined;
    fixture.network.create = create;
    fail = false;
    expect((await fixture.service.add(fixture.request('c1'), never)).identity).toBe(65_800);
  });

  it('removes what it knows and what it does not', async () => {
    const { service, request, endpoints, network, saved } = endpointFixture(state.path);
    await service.add(request('c1'), never);
    network.devices.set(hostInterfaceName('c9', 'eth0'), { index: 1, network: {} as never });
    expect(await service.remove('c9', 'eth0')).toBe(false);
    expect(await service.remove('c1', 'eth0')).toBe(true);
    expect(await service.remove('c1', 'eth0')).toBe(false);
    expect([endpoints.size, network.devices.size, saved().length]).toEqual([0, 0, 0]);
  });

  it('lets DEL wait for the ADD of the same container', async () => {
    const settled = Promise.withResolvers<void>();
    const { service, request, endpoints } = endpointFixture(state.path, { settled: () => settled.promise });
    const adding = service.add(request('c1'), never);
    const removing = service.remove('c1', 'eth0');
    settled.resolve();
    await adding;
    expect(await removing).toBe(true);
    expect(endpoints.size).toBe(0);
  });

  it('lets an address rest before anybody else gets it', async () => {
    const { service, request, clock } = endpointFixture(state.path);
    const { ipv4 } = await service.add(request('c1'), never);
    await service.remove('c1', 'eth0');
    const others = ['c2', 'c3', 'c4', 'c5'];
    for (const id of others) expect((await service.add(request(id), never)).ipv4).not.toBe(ipv4);
    await expect(service.add(request('c6'), never)).rejects.toMatchObject({ code: 'IPAM_POOL_EXHAUSTED' });
    clock.advance(30_000);
    expect((await service.add(request('c6'), never)).ipv4).toBe(ipv4);
  });

  it('relabels the endpoint that was meant, on disk too, and no other', async () => {
    const { service, request, endpoints, saved } = endpointFixture(state.path);
    const row = await service.add(request('c1'), never);
    service.relabel(row, 'k8s:app=db;', 65_900);
    expect(endpoints.get('1')).toMatchObject({ labels: 'k8s:app=db;', identity: 65_900 });
    expect(saved()[0]?.identity).toBe(65_900);
    await service.remove('c1', 'eth0');
    service.relabel(row, 'k8s:app=x;', 1);
    expect([endpoints.size, saved().length]).toEqual([0, 0]);
  });
});

function throwing(): never {
  throw broken;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
