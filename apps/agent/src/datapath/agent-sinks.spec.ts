import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_SCOPE, ManualClock, seededRandom } from '@isthmus/core';
import type { BpfMap } from '@isthmus/datapath';
import { decodePeerValue, MemoryRowMap, PeerTx } from '@isthmus/datapath';
import type { BackendSetRow, EndpointRow, IpRow, NodeRow, ServiceRow } from '@isthmus/model';
import { OWN_NODE, ownTables } from '../tables/own-node-fixture.ts';
import { declareKernelSinks } from './agent-sinks.ts';
import type { LoadedPrograms } from './programs.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A map of the kernel that writes down what is done to it. */
class LoggedMap extends MemoryRowMap {
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    super(name);
    this.#log = log;
  }

  override async update(keys: readonly Uint8Array[], values: readonly Uint8Array[]): Promise<void> {
    if (keys.length > 0) this.#log.push(`+${this.name}`);
    await super.update(keys, values);
  }

  override async delete(keys: readonly Uint8Array[]): Promise<void> {
    if (keys.length > 0) this.#log.push(`-${this.name}`);
    await super.delete(keys);
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#log.push(`+${this.name}`);
    this.rows.set(hex(key), [key, value]);
  }

  unset(key: Uint8Array): boolean {
    this.#log.push(`-${this.name}`);
    return this.rows.delete(hex(key));
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    return this.rows.get(hex(key))?.[1];
  }
}

describe('declareKernelSinks', () => {
  let pins: string;
  beforeEach(() => {
    pins = mkdtempSync(join(tmpdir(), 'isthmus-pins-'));
  });
  afterEach(() => rmSync(pins, { recursive: true }));

  /** The sinks over maps in memory; there is no program to attach, so pod devices fail. */
  function fixture(maps = new Map<string, LoggedMap>()) {
    const clock = new ManualClock();
    const log: string[] = [];
    const tables = ownTables(clock);
    const map = (name: string): LoggedMap => {
      const there = maps.get(name)?.rows ?? [];
      const made = new LoggedMap(name.replace('isth_', ''), log);
      for (const [key, row] of there) made.rows.set(key, row);
      maps.set(name, made);
      return made;
    };
    const programs = { podProgram: -1, map: (name: string) => map(name) as unknown as BpfMap, close: () => undefined } as LoadedPrograms;
    const routes = { update: () => undefined, delete: () => undefined };
    const { group, settled } = declareKernelSinks({
      tables,
      own: OWN_NODE,
      programs,
      pinFolder: pins,
      tcx: false,
      routes,
      learnedRoutes: routes,
      clock,
      random: seededRandom(1),
    });
    const stop = new AbortController();
    const running = group.run(stop.signal);
    const settle = async (): Promise<string[]> => {
      for (let i = 0; i < 60; i++) await new Promise((resolve) => setImmediate(resolve));
      return log.splice(0).filter((line, i, all) => line !== all[i - 1]);
    };
    const end = async (): Promise<void> => {
      stop.abort();
      await running;
    };
    const allSynced = (): void => {
      for (const writer of Object.values(tables.sources)) writer.synced(LOCAL_SCOPE);
    };
    return { tables, maps, settled, settle, end, allSynced };
  }

  const node = { cluster: 'west', clusterId: 2, name: 'n1', internalIps: ['172.30.2.1'], hostIps: ['172.30.2.1'], podCidrs: [] };
  const ip = { cluster: 'west', clusterId: 2, ip: '10.2.0.5', hostIp: '172.30.2.1', identity: 131_100 };
  const service = {
    namespace: 'shop',
    name: 'web',
    clusterIps: ['10.96.0.9'],
    exposure: { labels: {}, loadBalancerIps: [], externalIps: [], externalLocal: false, internalLocal: false },
    ports: [{ name: 'http', protocol: 'TCP', port: 80 }],
    global: true,
    shared: true,
    affinity: 'none',
  };
  const backends = (clusterId: number, address: string) => ({
    cluster: `c${clusterId}`,
    clusterId,
    namespace: 'shop',
    name: 'web',
    backends: [{ ip: address, ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] }],
  });

  it('has a peer in before the addresses behind it, and takes it out after them', async () => {
    const { tables, settle, end, allSynced } = fixture();
    allSynced();
    await settle();
    const { remoteIps, remoteNodes } = tables.sources;
    tables.store.transact(() => {
      remoteIps.put('west/10.2.0.5', ip as IpRow);
      remoteNodes.put('west/n1', node as unknown as NodeRow);
    });
    expect(await settle()).toEqual(['+peers', '+ipcache']);
    tables.store.transact(() => {
      remoteNodes.delete('west/n1');
      remoteIps.delete('west/10.2.0.5');
    });
    expect(await settle()).toEqual(['-ipcache', '-peers']);
    await end();
  });

  it('has a peer in before the pod CIDR behind it, and takes it out after that', async () => {
    const { tables, maps, settle, end, allSynced } = fixture();
    allSynced();
    await settle();
    tables.sources.remoteNodes.put('west/n1', { ...node, podCidrs: ['10.2.0.0/24'] } as unknown as NodeRow);
    const log = (await settle()).filter((line) => !line.endsWith('ipcache'));
    expect(log).toEqual(['+peers', '+mesh_ranges']);
    expect(maps.get('isth_mesh_ranges')?.rows.size).toBe(1);
    tables.sources.remoteNodes.delete('west/n1');
    expect((await settle()).filter((line) => !line.endsWith('ipcache'))).toEqual(['-mesh_ranges', '-peers']);
    await end();
  });

  it('sends to a peer by the device that is named, and by none until then', async () => {
    const { tables, maps, settle, end, allSynced } = fixture();
    allSynced();
    tables.sources.remoteNodes.put('west/n1', node as unknown as NodeRow);
    const tx = async () => {
      await settle();
      return [...(maps.get('isth_peers')?.rows.values() ?? [])].map(([, value]) => decodePeerValue(value).tx);
    };
    expect(await tx()).toEqual([PeerTx.closed]);
    tables.sources.wireguardTx.put('172.30.2.1', { device: 'odd' });
    expect(await tx()).toEqual([PeerTx.odd]);
    tables.sources.wireguardTx.delete('172.30.2.1');
    expect(await tx()).toEqual([PeerTx.closed]);
    await end();
  });

  it('has a backend and the way back in before the service that names them, and takes them out after it', async () => {
    const { tables, settle, end, allSynced } = fixture();
    allSynced();
    await settle();
    const { services, localBackends } = tables.sources;
    tables.store.transact(() => {
      services.put('shop/web', service as unknown as ServiceRow);
      localBackends.put('shop/web-1', backends(1, '10.1.0.5') as unknown as BackendSetRow);
    });
    const log = await settle();
    expect([log.slice(0, -1).sort(), log.at(-1)]).toEqual([['+backends', '+revnat'], '+services']);
    services.delete('shop/web');
    const removal = await settle();
    expect([removal[0], removal.slice(1).sort()]).toEqual(['-services', ['-backends', '-revnat']]);
    await end();
  });

  it('lets a pod’s address into the datapath only after its program and its identity were tried', async () => {
    const { tables, settle, end, allSynced } = fixture();
    allSynced();
    await settle();
    const row = { id: 1, ipv4: '10.1.0.5', ipv6: '', identity: 65_800, mac: '', hostMac: '', interfaceName: 'isth1', ifindex: 9 };
    tables.sources.endpoints.put('1', row as EndpointRow);
    expect(await settle()).toEqual(['+ipcache', '+endpoints']);
    tables.sources.endpoints.delete('1');
    expect(await settle()).toEqual(['-endpoints', '-ipcache']);
    await end();
  });

  it('says what the kernel refuses when an endpoint does not get in', async () => {
    const { tables, settle, settled, end, allSynced } = fixture();
    allSynced();
    const row = { id: 1, namespace: 'shop', pod: 'web', ipv4: '10.1.0.5', ipv6: '', identity: 65_800, mac: '', hostMac: '' };
    const endpoint = { ...row, interfaceName: 'isth1', ifindex: 9 } as EndpointRow;
    tables.sources.endpoints.put('1', endpoint);
    await settle();
    const late = new AbortController();
    const waiting = settled(endpoint, tables.store.revision, late.signal);
    late.abort(new Error('too late'));
    await expect(waiting).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_SETTLED',
      object: 'shop/web',
      message: expect.stringContaining('pod-devices isth1: '),
    });
    await end();
  });

  it('keeps the remote rows of an earlier run until their cluster is listed, and its numbers for good', async () => {
    const first = fixture();
    first.allSynced();
    const { remoteIps, remoteNodes, remoteBackends, services } = first.tables.sources;
    remoteNodes.put('west/n1', node as unknown as NodeRow);
    remoteIps.put('west/10.2.0.5', ip as IpRow);
    services.put('shop/web', service as unknown as ServiceRow);
    remoteBackends.put('west/shop/web', backends(2, '10.2.0.6') as unknown as BackendSetRow);
    await first.settle();
    await first.end();
    const contents = () => ['ipcache', 'peers', 'services', 'backends'].map((name) => [...(first.maps.get(`isth_${name}`)?.rows ?? [])]);
    const before = contents();

    const second = fixture(first.maps);
    second.tables.sources.services.put('shop/web', service as unknown as ServiceRow);
    for (const name of ['remoteIps', 'remoteNodes', 'remoteBackends', 'remoteIdentities'] as const)
      second.tables.sources[name].declare('cluster-2');
    second.allSynced();
    await second.settle();
    expect(contents()).toEqual(before);
    for (const name of ['remoteIps', 'remoteNodes', 'remoteBackends', 'remoteIdentities'] as const)
      second.tables.sources[name].synced('cluster-2');
    await second.settle();
    expect(contents().map((rows) => rows.length)).toEqual([2, 0, 1, 0]);
    await second.end();
  });
});
