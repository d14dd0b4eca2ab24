import { ManualClock, Store, type Table } from '@isthmus/core';
import type { BackendRow, BackendSetRow, ServiceAffinity, ServicePortRow, ServiceRow } from '@isthmus/model';
import type { AdoptedBackendsRow } from './rows.ts';
import { declareServiceTables } from './service-tables.ts';

const HTTP: ServicePortRow = { name: 'http', protocol: 'TCP', port: 80 };
const KEY = 'TCP/10.96.0.10:80';

function fixture() {
  const store = new Store(new ManualClock());
  const services = store.table<ServiceRow>('services');
  const localBackends = store.table<BackendSetRow>('local');
  const remoteBackends = store.table<BackendSetRow>('remote');
  const adopted = store.table<AdoptedBackendsRow>('adopted');
  const tables = declareServiceTables(store, {
    services: services.table,
    localBackends: localBackends.table,
    remoteBackends: remoteBackends.table,
    adopted: adopted.table,
  });
  return { store, services, localBackends, remoteBackends, adopted, ...tables };
}

const service = (fields: Partial<ServiceRow> = {}): ServiceRow => ({
  namespace: 'default',
  name: 'echo',
  clusterIps: ['10.96.0.10'],
  exposure: { labels: {}, loadBalancerIps: [], externalIps: [], externalLocal: false, internalLocal: false },
  ports: [HTTP],
  global: false,
  shared: false,
  affinity: 'none',
  ...fields,
});
const backend = (ip: string, port = 8080): BackendRow => ({ ip, ports: [{ ...HTTP, port }] });
const set = (cluster: string, clusterId: number, backends: BackendRow[], terminating?: BackendRow[]): BackendSetRow => ({
  cluster,
  clusterId,
  namespace: 'default',
  name: 'echo',
  backends,
  ...(terminating ? { terminating } : {}),
});
const east = (...backends: BackendRow[]) => set('east', 1, backends);
const west = (...backends: BackendRow[]) => set('west', 2, backends);
const A = 'TCP/10.1.0.1:8080';
const B = 'TCP/10.2.0.1:9090';

function backendsWith(affinity: ServiceAffinity, local: boolean, remote: boolean) {
  const { services, localBackends, remoteBackends, frontends } = fixture();
  services.put('default/echo', service({ global: true, affinity }));
  if (local) localBackends.put('default/echo-1', east(backend('10.1.0.1')));
  if (remote) remoteBackends.put('west/default/echo', west(backend('10.2.0.1', 9090)));
  const { backends, idle } = frontends.get(KEY)!;
  return { backends, idle };
}

describe('frontends', () => {
  it('exists without backends', () => {
    const { services, frontends, revnats } = fixture();
    services.put('default/echo', service());
    expect(frontends.get(KEY)).toEqual({
      vip: '10.96.0.10',
      port: 80,
      protocol: 'TCP',
      namespace: 'default',
      name: 'echo',
      global: false,
      affinity: 'none',
      backends: [],
      backendClusters: [],
      idle: [],
    });
    expect(revnats.get(KEY)).toEqual({ vip: '10.96.0.10', port: 80, protocol: 'TCP' });
    services.delete('default/echo');
    expect([frontends.size, revnats.size]).toEqual([0, 0]);
  });

  it.each<[ServiceAffinity, boolean, boolean, string[], string[]]>([
    ['none', true, true, [A, B], []],
    ['local', true, true, [A], [B]],
    ['local', false, true, [B], []],
    ['local', true, false, [A], []],
    ['remote', true, true, [B], [A]],
    ['remote', true, false, [A], []],
    ['remote', false, true, [B], []],
    ['none', false, false, [], []],
  ])('affinity %s, local %s, remote %s', (affinity, local, remote, backends, idle) => {
    expect(backendsWith(affinity, local, remote)).toEqual({ backends, idle });
  });

  it('takes no remote backends for a service that is not global', () => {
    const { services, remoteBackends, frontends, backends } = fixture();
    services.put('default/echo', service({ affinity: 'remote' }));
    remoteBackends.put('west/default/echo', west(backend('10.2.0.1', 9090)));
    expect(frontends.get(KEY)).toMatchObject({ backends: [], idle: [] });
    services.put('default/echo', service({ global: true }));
    expect(frontends.get(KEY)).toMatchObject({ backends: [B], backendClusters: [2] });
    expect(backends.get(B)).toEqual({ ip: '10.2.0.1', port: 9090, protocol: 'TCP', clusterId: 2 });
    services.put('default/echo', service());
    expect([...backends.rows()]).toEqual([]);
  });

  it('keeps families apart, so that one family may be served from elsewhere', () => {
    const { services, localBackends, remoteBackends, frontends } = fixture();
    services.put('default/echo', service({ clusterIps: ['10.96.0.10', 'fd00::10'], global: true, affinity: 'local' }));
    localBackends.put('default/echo-1', east(backend('10.1.0.1')));
    remoteBackends.put('west/default/echo', west(backend('10.2.0.1', 9090), backend('fd00:2::1', 9090)));
    expect(frontends.get(KEY)?.backends).toEqual([A]);
    expect(frontends.get('TCP/[fd00::10]:80')?.backends).toEqual(['TCP/[fd00:2::1]:9090']);
  });

  it('uses terminating backends only when nobody else serves, in any slice or cluster', () => {
    const { services, localBackends, remoteBackends, frontends } = fixture();
    services.put('default/echo', service({ global: true, affinity: 'local' }));
    localBackends.put('default/echo-1', set('east', 1, [], [backend('10.1.0.1')]));
    expect(frontends.get(KEY)).toMatchObject({ backends: [A], idle: [] });
    localBackends.put('default/echo-2', east(backend('10.1.0.2')));
    expect(frontends.get(KEY)).toMatchObject({ backends: ['TCP/10.1.0.2:8080'], idle: [A] });
    localBackends.delete('default/echo-2');
    remoteBackends.put('west/default/echo', west(backend('10.2.0.1', 9090)));
    expect(frontends.get(KEY)).toMatchObject({ backends: [B], idle: [A] });
  });

  it('gives an address that several clusters claim to the local one, else to the lowest id', () => {
    const { services, localBackends, remoteBackends, backends } = fixture();
    services.put('default/echo', service({ global: true }));
    remoteBackends.put('north/default/echo', set('north', 3, [backend('10.1.0.1')]));
    remoteBackends.put('west/default/echo', west(backend('10.1.0.1')));
    expect(backends.get(A)?.clusterId).toBe(2);
    remoteBackends.put('south/default/echo', set('south', 4, [backend('10.1.0.1')]));
    expect(backends.get(A)?.clusterId).toBe(2);
    localBackends.put('default/echo-1', set('east', 9, [backend('10.1.0.1')]));
    expect(backends.get(A)?.clusterId).toBe(9);
  });

  it('gives an address that two services claim to the first by name', () => {
    const { services, frontends } = fixture();
    services.put('default/echo', service());
    services.put('default/alpha', service({ name: 'alpha' }));
    expect(frontends.get(KEY)?.name).toBe('alpha');
    services.delete('default/alpha');
    expect(frontends.get(KEY)?.name).toBe('echo');
  });

  it('keeps one backend row for two frontends until the last lets go', () => {
    const { services, localBackends, backends } = fixture();
    services.put('default/echo', service({ clusterIps: ['10.96.0.10', '10.96.0.11'] }));
    localBackends.put('default/echo-1', east(backend('10.1.0.1')));
    expect(backends.size).toBe(1);
    services.put('default/echo', service());
    expect(backends.has(A)).toBe(true);
    services.delete('default/echo');
    expect(backends.size).toBe(0);
  });

  it('keeps what the kernel held of clusters not listed yet', () => {
    const { services, localBackends, adopted, frontends } = fixture();
    adopted.put(KEY, { backends: [{ key: B, clusterId: 2 }] });
    services.put('default/echo', service({ global: true }));
    localBackends.put('default/echo-1', east(backend('10.1.0.1')));
    expect(frontends.get(KEY)).toMatchObject({ backends: [A, B], backendClusters: [1, 2] });
    adopted.delete(KEY);
    expect(frontends.get(KEY)?.backends).toEqual([A]);
  });

  it('computes only the frontends of the service whose slice changed', () => {
    const { services, localBackends, frontends, backends, revnats } = fixture();
    services.put('default/echo', service());
    services.put('default/other', service({ name: 'other', clusterIps: ['10.96.0.20'] }));
    const computed = recordReads(services.table);
    localBackends.put('default/echo-1', east(backend('10.1.0.1')));
    expect([...computed]).toEqual(['default/echo']);
    expect(frontends.get('TCP/10.96.0.20:80')?.backends).toEqual([]);
    const [before, revnat] = [backends.revisionOf(A), revnats.revisionOf(KEY)];
    localBackends.put('default/echo-2', east(backend('10.1.0.2')));
    expect([backends.revisionOf(A), revnats.revisionOf(KEY)]).toEqual([before, revnat]);
  });
});

/** Keys that are read of a table from now on. */
function recordReads(table: Table<ServiceRow>): Set<string> {
  const keys = new Set<string>();
  const get = table.get.bind(table);
  table.get = (key) => {
    keys.add(key);
    return get(key);
  };
  return keys;
}
