import { input, type Store, type Table, type TableWriter } from '@isthmus/core';
import type { RecordKind } from '@isthmus/mesh';
import type { EndpointSlice, Service, ServiceExport } from '@isthmus/model';
import { sliceServiceName } from '@isthmus/service';
import { exportedService, exportedServiceExport } from './exported-records.ts';
import type { OwnClusterFacts } from './own-cluster.ts';

/** A record as the cluster etcd has it, and the namespace that it belongs to (`''`: to none). */
export interface NamespacedText {
  readonly namespace: string;
  readonly value: string;
}

/** Tables that the sources write. Keys: node, identity, address, node, `target`, namespace, `<namespace>/<name>`. */
export interface ExportSources {
  readonly nodes: TableWriter<string>;
  readonly identities: TableWriter<NamespacedText>;
  readonly ips: TableWriter<NamespacedText>;
  /** What nodes say of their WireGuard keys, and the epoch that the cluster wants. */
  readonly wireguard: TableWriter<string>;
  readonly wireguardTarget: TableWriter<string>;
  /** Whether each namespace publishes anything. */
  readonly namespaces: TableWriter<boolean>;
  readonly services: TableWriter<Service>;
  readonly slices: TableWriter<EndpointSlice>;
  readonly serviceExports: TableWriter<ServiceExport>;
}

/** What is exported: the values of `cilium/state`, by kind and by the record's own name. */
export type ExportedTables = Readonly<Record<RecordKind, Table<string>>>;

/** Declares the tables of the export: what comes in, and the records that follow from it. */
export function declareExportTables(
  store: Store,
  own: OwnClusterFacts,
  globalByDefault: boolean,
): { sources: ExportSources; exported: ExportedTables } {
  const sources = declareSources(store);
  const namespaces = sources.namespaces.table;
  // Without Kubernetes nobody need make Namespace objects: one that does not exist is as one that says nothing.
  const isGlobal = (namespace: string): boolean => namespace === '' || (namespaces.get(namespace) ?? globalByDefault);
  const exported = {
    nodes: sources.nodes.table,
    identities: declareFiltered(store, 'state/identities', sources.identities.table, namespaces, isGlobal),
    ips: declareFiltered(store, 'state/ips', sources.ips.table, namespaces, isGlobal),
    services: declareServices(store, own, sources, isGlobal),
    serviceexports: declareServiceExports(store, own, sources, isGlobal),
    wireguard: sources.wireguard.table,
    wireguardtargets: sources.wireguardTarget.table,
  };
  return { sources, exported };
}

function declareSources(store: Store): ExportSources {
  return {
    nodes: store.table('state/nodes'),
    identities: store.table('identities'),
    ips: store.table('ips'),
    wireguard: store.table('state/wireguard'),
    wireguardTarget: store.table('state/wireguardtargets'),
    namespaces: store.table('namespaces'),
    services: store.table('services'),
    slices: store.table('endpoint-slices'),
    serviceExports: store.table('service-exports'),
  };
}

/** Records of namespaces that publish. */
function declareFiltered(
  store: Store,
  name: string,
  records: Table<NamespacedText>,
  namespaces: Table<boolean>,
  isGlobal: (namespace: string) => boolean,
): Table<string> {
  const members = records.index('namespace', (row) => [row.namespace]);
  return store.derive<string>({
    name,
    inputs: [input(records, (key) => [key]), input(namespaces, (namespace) => members.get(namespace))],
    compute: (key) => {
      const row = records.get(key);
      return row && isGlobal(row.namespace) ? row.value : undefined;
    },
  });
}

function declareServices(
  store: Store,
  own: OwnClusterFacts,
  sources: ExportSources,
  isGlobal: (namespace: string) => boolean,
): Table<string> {
  const [services, slices, namespaces] = [sources.services.table, sources.slices.table, sources.namespaces.table];
  const members = services.index('namespace', (service) => [service.metadata.namespace ?? '']);
  const ofService = slices.index('service', (slice) => [serviceKeyOf(slice)]);
  return store.derive<string>({
    name: 'state/services',
    inputs: [
      input(services, (key) => [key]),
      input(slices, (_key, row, before) => [row, before].flatMap((slice) => (slice ? [serviceKeyOf(slice)] : []))),
      input(namespaces, (namespace) => members.get(namespace)),
    ],
    compute: (key) => {
      const service = services.get(key);
      if (!service) return undefined;
      const its = [...ofService.get(key)].flatMap((slice) => slices.get(slice) ?? []);
      return exportedService(own, service, its, isGlobal(service.metadata.namespace ?? ''));
    },
  });
}

function declareServiceExports(
  store: Store,
  own: OwnClusterFacts,
  sources: ExportSources,
  isGlobal: (namespace: string) => boolean,
): Table<string> {
  const [services, exports, namespaces] = [sources.services.table, sources.serviceExports.table, sources.namespaces.table];
  const members = exports.index('namespace', (each) => [each.metadata.namespace ?? '']);
  return store.derive<string>({
    name: 'state/serviceexports',
    inputs: [input(services, (key) => [key]), input(exports, (key) => [key]), input(namespaces, (namespace) => members.get(namespace))],
    compute: (key) => {
      const [service, serviceExport] = [services.get(key), exports.get(key)];
      if (!service || !serviceExport) return undefined;
      return exportedServiceExport(own, service, serviceExport, isGlobal(service.metadata.namespace ?? ''));
    },
  });
}

/** `<namespace>/<name>` of the service that a slice belongs to. */
function serviceKeyOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace ?? ''}/${sliceServiceName(slice) ?? ''}`;
}
