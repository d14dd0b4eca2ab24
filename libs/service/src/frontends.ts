import { input, type Store, type Table, type TableIndex } from '@isthmus/core';
import { type BackendRow, type BackendSetRow, isIpv6, l4Key, type ServicePortRow, type ServiceRow } from '@isthmus/model';
import { type Candidates, chooseBackends } from './backend-choice.ts';
import { matchPort } from './port-match.ts';
import type { AdoptedBackendsRow, FrontendRow } from './rows.ts';

/** What frontends are made of. */
export interface ServiceInputs {
  /** Services of this cluster, by `<namespace>/<name>`. */
  readonly services: Table<ServiceRow>;
  /** Backends of this cluster, by slice. */
  readonly localBackends: Table<BackendSetRow>;
  /** Backends of other clusters, by `<cluster>/<namespace>/<name>`. */
  readonly remoteBackends: Table<BackendSetRow>;
  /** What the kernel held at start of clusters not listed yet, so that a restart takes no backend away. */
  readonly adopted?: Table<AdoptedBackendsRow>;
}

/** A service's port as one of its addresses offers it. */
interface Offer {
  readonly vip: string;
  readonly port: ServicePortRow;
  readonly service: ServiceRow;
}

/** A backend table, and its rows by service. */
interface Sets {
  readonly table: Table<BackendSetRow>;
  readonly byService: TableIndex<BackendSetRow>;
}

/** Declares the table of frontends. A change of one slice computes the frontends of its own service again, no others. */
export function declareFrontends(store: Store, inputs: ServiceInputs): Table<FrontendRow> {
  const { services, adopted } = inputs;
  const claims = services.index('frontend', frontendKeys);
  const local = setsOf(inputs.localBackends);
  const remote = setsOf(inputs.remoteBackends);
  const concerned = (_key: string, row?: BackendSetRow, before?: BackendSetRow): string[] =>
    serviceKeys(row, before).flatMap((key) => frontendKeys(services.get(key)));
  return store.derive<FrontendRow>({
    name: 'frontends',
    inputs: [
      input(services, (_key, row, before) => [...frontendKeys(row), ...frontendKeys(before)]),
      input(inputs.localBackends, concerned),
      input(inputs.remoteBackends, concerned),
      ...(adopted ? [input(adopted, (key) => [key])] : []),
    ],
    compute: (key) => {
      const offer = offerAt(services, claims, key);
      return offer && frontendRow(offer, local, remote, adopted?.get(key));
    },
  });
}

function setsOf(table: Table<BackendSetRow>): Sets {
  return { table, byService: table.index('service', (row) => [serviceKey(row)]) };
}

function serviceKey(row: { readonly namespace: string; readonly name: string }): string {
  return `${row.namespace}/${row.name}`;
}

function serviceKeys(...rows: readonly (BackendSetRow | undefined)[]): string[] {
  return [...new Set(rows.filter((row) => row !== undefined).map(serviceKey))];
}

/** Where clients inside the cluster reach a service: its own address, and those under which others know it. */
function addresses({ clusterIps, exposure }: ServiceRow): readonly string[] {
  const { externalIps, loadBalancerIps } = exposure;
  return externalIps.length + loadBalancerIps.length === 0 ? clusterIps : [...new Set([...clusterIps, ...externalIps, ...loadBalancerIps])];
}

function frontendKeys(row: ServiceRow | undefined): string[] {
  return row ? addresses(row).flatMap((vip) => row.ports.map(({ protocol, port }) => l4Key(protocol, vip, port))) : [];
}

/** Who offers this address and port. When several services claim it, the first by key does, on every node. */
function offerAt(services: Table<ServiceRow>, claims: TableIndex<ServiceRow>, key: string): Offer | undefined {
  const [first] = [...claims.get(key)].sort();
  const service = first === undefined ? undefined : services.get(first);
  for (const vip of service ? addresses(service) : [])
    for (const port of service?.ports ?? []) if (service && l4Key(port.protocol, vip, port.port) === key) return { vip, port, service };
  return undefined;
}

function frontendRow(offer: Offer, local: Sets, remote: Sets, adopted: AdoptedBackendsRow | undefined): FrontendRow {
  const { vip, port, service } = offer;
  const { chosen, idle } = chooseBackends(service.affinity, {
    local: candidates(offer, local, (set) => set.backends),
    remote: service.global ? withAdopted(candidates(offer, remote, usable), adopted) : NONE,
    terminating: candidates(offer, local, (set) => set.terminating ?? []),
  });
  const backends = [...chosen.keys()].sort();
  return {
    vip,
    port: port.port,
    protocol: port.protocol,
    namespace: service.namespace,
    name: service.name,
    global: service.global,
    affinity: service.affinity,
    backends,
    backendClusters: backends.map((key) => chosen.get(key) ?? 0),
    idle,
  };
}

const NONE: Candidates = new Map();

/** Other clusters publish no difference between ready backends and those that serve while they go. */
function usable({ backends, terminating = [] }: BackendSetRow): readonly BackendRow[] {
  return terminating.length === 0 ? backends : [...backends, ...terminating];
}

/** Backends that fit an offer: the vip's family, the port by name. */
function candidates(offer: Offer, sets: Sets, of: (set: BackendSetRow) => readonly BackendRow[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const key of sets.byService.get(serviceKey(offer.service))) {
    const set = sets.table.get(key);
    if (set) for (const backend of of(set)) addCandidate(found, offer, backend, set.clusterId);
  }
  return found;
}

function addCandidate(found: Map<string, number>, { vip, port, service }: Offer, backend: BackendRow, clusterId: number): void {
  if (isIpv6(backend.ip) !== isIpv6(vip)) return;
  const target = matchPort(port, service.ports, backend.ports);
  if (!target) return;
  const key = l4Key(target.protocol, backend.ip, target.port);
  // Two clusters may claim one address; the lower id has it on every node.
  found.set(key, Math.min(clusterId, found.get(key) ?? clusterId));
}

function withAdopted(remote: Map<string, number>, adopted: AdoptedBackendsRow | undefined): Candidates {
  for (const { key, clusterId } of adopted?.backends ?? []) if (!remote.has(key)) remote.set(key, clusterId);
  return remote;
}
