import { type Clock, declareSource, input, LOCAL_SCOPE, Store, type Table, type TableWriter } from '@isthmus/core';
import {
  type AttachedDevice,
  declareLocalAddresses,
  declareRoutes,
  type HostAddressRow,
  LEARNED_SCOPE,
  type RouteRow,
} from '@isthmus/datapath';
import { declareIpcache, declareMeshRanges, declareNativeNodes, declarePeers } from '@isthmus/identity';
import type {
  BackendSetRow,
  EndpointRow,
  IdentityRow,
  IpcacheRow,
  IpRow,
  LearnedRouteRow,
  LocalAddressRow,
  MeshRangeRow,
  NativeNodeRow,
  NodeRow,
  PeerRow,
  RoutingModeName,
  ServiceRow,
  WireGuardRow,
  WireGuardTargetRow,
  WireGuardTxRow,
} from '@isthmus/model';
import { type AdoptedBackendsRow, type BackendAddressRow, declareServiceTables, type FrontendRow, type RevnatRow } from '@isthmus/service';
import { type BgpTables, declareBgpTables } from '../bgp/bgp-tables.ts';
import { AdoptedBackends } from '../datapath/adopted-backends.ts';
import { declareTranslations } from './translations.ts';

/** This node's place in the mesh. */
export interface OwnNode {
  readonly cluster: string;
  readonly clusterId: number;
  readonly node: string;
  /** Largest packet of a pod, bytes. */
  readonly podMtu: number;
  readonly routingMode: RoutingModeName;
  /** What a BGP instance is called that names no router id, IPv4 text. */
  readonly routerId: string;
  /** Whether nodes' own packets to a node go as they are, also where nodes' packets are encrypted; none do when left out. */
  readonly inTheClear?: (node: NodeRow) => boolean;
  /** The node's own addresses, empty where it has none of a family. */
  readonly underlay: { readonly ipv4: string; readonly ipv6: string };
}

/** Tables that sources write, with their only writers. */
export interface SourceTables {
  readonly endpoints: TableWriter<EndpointRow>;
  readonly hostAddresses: TableWriter<HostAddressRow>;
  readonly localNodes: TableWriter<NodeRow>;
  readonly remoteNodes: TableWriter<NodeRow>;
  readonly localIps: TableWriter<IpRow>;
  readonly remoteIps: TableWriter<IpRow>;
  readonly localIdentities: TableWriter<IdentityRow>;
  readonly remoteIdentities: TableWriter<IdentityRow>;
  /** What nodes say of their WireGuard keys, this one included. */
  readonly localWireGuard: TableWriter<WireGuardRow>;
  readonly remoteWireGuard: TableWriter<WireGuardRow>;
  readonly localWireGuardTargets: TableWriter<WireGuardTargetRow>;
  readonly remoteWireGuardTargets: TableWriter<WireGuardTargetRow>;
  readonly services: TableWriter<ServiceRow>;
  readonly localBackends: TableWriter<BackendSetRow>;
  readonly remoteBackends: TableWriter<BackendSetRow>;
  readonly learnedRoutes: TableWriter<LearnedRouteRow>;
  /** Those of them that the kernel has. */
  readonly kernelRoutes: TableWriter<true>;
  /** Which WireGuard device sends to a peer, by its address. What the kernel has must be in before the sink of peers starts. */
  readonly wireguardTx: TableWriter<WireGuardTxRow>;
}

/** Every table of an agent. */
export interface AgentTables {
  readonly store: Store;
  readonly sources: SourceTables;
  readonly adoptedBackends: AdoptedBackends;
  /** Nodes that learned routes lead to, by key; none where everything goes through the tunnel. */
  readonly nativeNodes: Table<NativeNodeRow>;
  readonly peers: Table<PeerRow>;
  readonly meshRanges: Table<MeshRangeRow>;
  readonly ipcache: Table<IpcacheRow>;
  readonly localAddresses: Table<LocalAddressRow>;
  readonly podDevices: Table<AttachedDevice>;
  readonly routes: Table<RouteRow>;
  readonly frontends: Table<FrontendRow>;
  readonly backends: Table<BackendAddressRow>;
  readonly revnats: Table<RevnatRow>;
  readonly translations: Table<true>;
  readonly bgp: BgpTables;
}

/** Declares all tables of an agent: what comes in, and everything that follows from it. */
export function declareAgentTables(
  clock: Clock,
  own: OwnNode,
  onFault: (fault: { table: string; key: string; error: unknown }) => void,
): AgentTables {
  const store = new Store(clock, { onFault });
  const sources = declareSources(store);
  const nodes = [sources.localNodes.table, sources.remoteNodes.table];
  const nativeNodes = declareNativeNodes(
    store,
    own.routingMode === 'tunnel' ? [] : nodes,
    sources.learnedRoutes.table,
    sources.kernelRoutes.table,
  );
  const peers = declarePeers(store, nodes, own, { mode: own.routingMode, native: nativeNodes, tx: sources.wireguardTx.table });
  const ipcache = declareIpcache(store, {
    endpoints: sources.endpoints.table,
    localIps: sources.localIps.table,
    remoteIps: sources.remoteIps.table,
    localNodes: sources.localNodes.table,
    remoteNodes: sources.remoteNodes.table,
    peers,
    own,
    ...(own.inTheClear && { inTheClear: own.inTheClear }),
  });
  const adopted = store.table<AdoptedBackendsRow>('adopted-backends');
  const adoptedBackends = new AdoptedBackends(store, adopted, own.clusterId);
  const { frontends, backends, revnats } = declareServiceTables(store, {
    services: sources.services.table,
    localBackends: sources.localBackends.table,
    remoteBackends: sources.remoteBackends.table,
    adopted: adopted.table,
  });
  adoptedBackends.releaseWith(sources.remoteBackends.table);
  return {
    adoptedBackends,
    store,
    sources,
    nativeNodes,
    peers,
    meshRanges: declareMeshRanges(store, nodes, peers, own),
    ipcache,
    localAddresses: declareLocalAddresses(store, sources.endpoints.table, sources.hostAddresses.table),
    podDevices: declarePodDevices(store, sources.endpoints.table),
    routes: declareRoutes(store, nodes, nativeNodes, own.podMtu),
    frontends,
    backends,
    revnats,
    translations: declareTranslations(store, frontends),
    bgp: declareBgpTables(store, {
      services: sources.services.table,
      localBackends: sources.localBackends.table,
      endpoints: sources.endpoints.table,
      routerId: own.routerId,
      nodeAddresses: own.underlay,
    }),
  };
}

function declareSources(store: Store): SourceTables {
  const local = <V>(name: string): TableWriter<V> => declareSource(store, name, LOCAL_SCOPE);
  // What is there from an earlier run counts until the peers have said what they have now.
  const learned = <V>(name: string): TableWriter<V> => declareSource(store, name, LEARNED_SCOPE);
  // It says nothing about which rows there are, so nobody's pruning waits for it.
  const complete = <V>(name: string): TableWriter<V> => {
    const writer = declareSource<V>(store, name, LOCAL_SCOPE);
    writer.synced(LOCAL_SCOPE);
    return writer;
  };
  const remote = <V>(name: string): TableWriter<V> => {
    const writer = store.table<V>(name);
    writer.synced(LOCAL_SCOPE);
    return writer;
  };
  return {
    endpoints: local('endpoints'),
    hostAddresses: local('host-addresses'),
    localNodes: local('nodes'),
    remoteNodes: remote('remote-nodes'),
    localIps: local('ips'),
    remoteIps: remote('remote-ips'),
    localIdentities: local('identities'),
    remoteIdentities: remote('remote-identities'),
    localWireGuard: local('wireguard'),
    remoteWireGuard: remote('remote-wireguard'),
    localWireGuardTargets: local('wireguard-targets'),
    remoteWireGuardTargets: remote('remote-wireguard-targets'),
    services: local('services'),
    localBackends: local('service-backends'),
    remoteBackends: remote('remote-service-backends'),
    learnedRoutes: learned('learned-routes'),
    kernelRoutes: learned('kernel-routes'),
    wireguardTx: complete('wireguard-tx'),
  };
}

function declarePodDevices(store: Store, endpoints: Table<EndpointRow>): Table<AttachedDevice> {
  const byDevice = endpoints.index('device', (row) => [row.interfaceName]);
  return store.derive<AttachedDevice>({
    name: 'pod-devices',
    inputs: [input(endpoints, (_key, row, before) => [row?.interfaceName, before?.interfaceName].filter((name) => name !== undefined))],
    compute: (device) => {
      const [key] = byDevice.get(device);
      const row = key === undefined ? undefined : endpoints.get(key);
      return row && { ifindex: row.ifindex };
    },
  });
}
