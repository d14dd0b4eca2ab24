import { declareSource, input, LOCAL_SCOPE, type Store, type Table, type TableWriter } from '@isthmus/core';
import type { BackendSetRow, BgpNodeInstance, CiliumBGPPeerConfig, EndpointRow, ServiceRow } from '@isthmus/model';
import { interfaceOrigin, podCidrOrigin, podPoolOrigin, serviceOrigin } from './advertised.ts';
import type { BgpEntryRow, BgpInstanceRow, BgpOriginRow, BgpPeerRow, BgpRangeRow, BgpRefusalRow, BgpRouteRow } from './bgp-rows.ts';
import { type PeerInputs, type PeerOutcome, peerOutcome } from './peer-rows.ts';
import type { SecretText } from './secret-text.ts';

/** Spec of a peer config. */
export interface BgpPeerConfigRow {
  readonly spec: CiliumBGPPeerConfig['spec'];
}

/** A gateway of the node, key `ipv4` or `ipv6`; or the neighbour on a link, key the interface, with its zone. */
export interface BgpGatewayRow {
  readonly address: string;
}

/** An address of a device that routes may be announced of. Key: `<device>/<address>`. */
export interface DeviceAddressRow {
  readonly device: string;
  readonly address: string;
}

/** A CiliumPodIPPool. Key: its name. */
export interface BgpPodPoolRow {
  readonly labels: Readonly<Record<string, string>>;
}

/** A share of a pod pool that this node has. Key: the CIDR, canonical text. */
export interface BgpPoolShareRow {
  readonly pool: string;
}

/** Tables that sources write. */
export interface BgpSources {
  /** Instances of this node's CiliumBGPNodeConfig, as they stand there. Key: the name. */
  readonly instances: TableWriter<BgpNodeInstance>;
  readonly peerConfigs: TableWriter<BgpPeerConfigRow>;
  /** Key: `<advertisement>#<position>`. */
  readonly entries: TableWriter<BgpEntryRow>;
  /** Passwords of the namespace of BGP secrets. Key: the secret's name. */
  readonly secrets: TableWriter<SecretText>;
  readonly podCidrs: TableWriter<true>;
  readonly podPools: TableWriter<BgpPodPoolRow>;
  readonly poolShares: TableWriter<BgpPoolShareRow>;
  readonly gateways: TableWriter<BgpGatewayRow>;
  readonly linkNeighbours: TableWriter<BgpGatewayRow>;
  readonly deviceAddresses: TableWriter<DeviceAddressRow>;
  /** What an earlier run announced, until it is known what is to be. */
  readonly keptOrigins: TableWriter<BgpOriginRow>;
}

/** What else BGP is made of. */
export interface BgpInputs {
  readonly services: Table<ServiceRow>;
  readonly localBackends: Table<BackendSetRow>;
  readonly endpoints: Table<EndpointRow>;
  /** What an instance is called that names no router id. */
  readonly routerId: string;
  /** The node's own addresses, empty where it has none of a family. */
  readonly nodeAddresses: PeerInputs['nodeAddresses'];
}

/** Every table of BGP. */
export interface BgpTables {
  readonly sources: BgpSources;
  readonly speakers: Table<BgpInstanceRow>;
  readonly peers: Table<BgpPeerRow>;
  readonly refusals: Table<BgpRefusalRow>;
  readonly origins: Table<BgpOriginRow>;
  readonly routes: Table<BgpRouteRow>;
  /** Those of the routes that packets of others must not follow any further. */
  readonly discards: Table<true>;
}

/** Declares all tables of BGP: what is configured, and what follows from it. */
export function declareBgpTables(store: Store, inputs: BgpInputs): BgpTables {
  const sources = declareSources(store);
  const outcomes = declareOutcomes(store, sources, inputs.nodeAddresses);
  const origins = declareOrigins(store, sources, inputs);
  const routes = declareRoutes(store, [origins, sources.keptOrigins.table]);
  return {
    sources,
    speakers: declareSpeakers(store, sources, outcomes, inputs.routerId),
    peers: declarePeers(store, outcomes),
    refusals: declareRefusals(store, sources, outcomes),
    origins,
    routes,
    discards: declareDiscards(store, routes),
  };
}

function declareSources(store: Store): BgpSources {
  const table = <V>(name: string): TableWriter<V> => declareSource(store, name, LOCAL_SCOPE);
  return {
    instances: table('bgp-instances'),
    peerConfigs: table('bgp-peer-configs'),
    entries: table('bgp-advertisements'),
    secrets: table('bgp-secrets'),
    podCidrs: table('bgp-pod-cidrs'),
    podPools: table('bgp-pod-pools'),
    poolShares: table('bgp-pool-shares'),
    gateways: table('bgp-gateways'),
    linkNeighbours: table('bgp-link-neighbours'),
    deviceAddresses: table('bgp-device-addresses'),
    keptOrigins: table('bgp-kept-origins'),
  };
}

type OutcomeRow = PeerOutcome & { readonly instance: string };

/** Each peer of each instance, whatever becomes of it. Few rows: any change of what they are made of computes all again. */
function declareOutcomes(store: Store, sources: BgpSources, nodeAddresses: PeerInputs['nodeAddresses']): Table<OutcomeRow> {
  const { instances, peerConfigs, entries, secrets, gateways, linkNeighbours } = sources;
  const peersOf = (name: string, row: BgpNodeInstance | undefined): string[] => (row?.peers ?? []).map((peer) => `${name}/${peer.name}`);
  const all = (): string[] => [...instances.table.rows()].flatMap(([name, row]) => peersOf(name, row));
  return store.derive<OutcomeRow>({
    name: 'bgp-peer-outcomes',
    inputs: [
      input(instances.table, (name, row, before) => [...peersOf(name, row), ...peersOf(name, before)]),
      ...[peerConfigs, entries, secrets, gateways, linkNeighbours].map(({ table }) => input(table as Table<unknown>, all)),
    ],
    compute: (key) => {
      const [instance, peer] = findPeer(instances.table, key);
      if (instance === undefined || peer === undefined) return undefined;
      const outcome = peerOutcome(instance, peer, {
        config: (name) => peerConfigs.table.get(name),
        password: (name) => secrets.table.get(name)?.value,
        entries: [...entries.table.rows()].sort(([a], [b]) => (a < b ? -1 : 1)),
        gateway: (family) => gateways.table.get(family)?.address,
        nodeAddresses,
        neighbour: (device) => linkNeighbours.table.get(device)?.address,
      });
      return { ...outcome, instance: instance.name };
    },
  });
}

function findPeer(instances: Table<BgpNodeInstance>, key: string) {
  for (const [name, instance] of instances.rows())
    for (const peer of instance.peers ?? []) if (`${name}/${peer.name}` === key) return [instance, peer] as const;
  return [undefined, undefined] as const;
}

function declareSpeakers(store: Store, { instances }: BgpSources, outcomes: Table<OutcomeRow>, routerId: string): Table<BgpInstanceRow> {
  return store.derive<BgpInstanceRow>({
    name: 'bgp-speakers',
    inputs: [
      input(instances.table, (name) => [name]),
      input(outcomes, (_key, row, before) => [...new Set([row, before].flatMap((each) => each?.instance ?? []))]),
    ],
    compute: (name) => {
      const instance = instances.table.get(name);
      if (instance?.localASN === undefined) return undefined;
      const { localASN, localPort = 0, routerID = routerId, routeReflectorClusterID: clusterId } = instance;
      return {
        asn: localASN,
        routerId: routerID,
        listenPort: localPort,
        ...(clusterId && { clusterId }),
        ranges: rangesOf(outcomes, name),
      };
    },
  });
}

function rangesOf(outcomes: Table<OutcomeRow>, instance: string): BgpRangeRow[] {
  return [...outcomes.rows()].flatMap(([, row]) => (row.instance === instance && 'range' in row ? [row.range] : []));
}

function declarePeers(store: Store, outcomes: Table<OutcomeRow>): Table<BgpPeerRow> {
  return store.derive<BgpPeerRow>({
    name: 'bgp-peers',
    inputs: [input(outcomes, (key) => [key])],
    compute: (key) => {
      const row = outcomes.get(key);
      return row && 'peer' in row ? { ...row.peer, instance: row.instance } : undefined;
    },
  });
}

function declareRefusals(store: Store, { instances }: BgpSources, outcomes: Table<OutcomeRow>): Table<BgpRefusalRow> {
  return store.derive<BgpRefusalRow>({
    name: 'bgp-refusals',
    inputs: [input(outcomes, (key) => [key]), input(instances.table, (name) => [name])],
    compute: (key) => {
      const outcome = outcomes.get(key);
      if (outcome) return 'refused' in outcome ? { reason: outcome.refused } : undefined;
      return instances.table.get(key)?.localASN === undefined && instances.table.has(key) ? { reason: 'it has no localASN' } : undefined;
    },
  });
}

const POD_CIDR = 'pod-cidr/';
const POOL_SHARE = 'pod-pool/';
const SERVICE = 'service/';
const DEVICE = 'device/';

function declareOrigins(store: Store, sources: BgpSources, { services, localBackends, endpoints }: BgpInputs): Table<BgpOriginRow> {
  const { podCidrs, podPools, poolShares, entries, deviceAddresses } = sources;
  const setsOf = localBackends.index('service', (row) => [`${row.namespace}/${row.name}`]);
  const endpointsAt = endpoints.index('ip', (row) => [row.ipv4, row.ipv6].filter((ip) => ip !== ''));
  const localOnly = services.index('local-only', ({ exposure }) => (exposure.externalLocal || exposure.internalLocal ? ['yes'] : []));
  const sharesOf = poolShares.table.index('pool', ({ pool }) => [pool]);
  const servedHere = (service: string): boolean =>
    [...setsOf.get(service)].some((key) => localBackends.get(key)?.backends.some(({ ip }) => endpointsAt.get(ip).size > 0));
  const everything = (): string[] => [
    ...[...podCidrs.table.rows()].map(([cidr]) => POD_CIDR + cidr),
    ...[...poolShares.table.rows()].map(([cidr]) => POOL_SHARE + cidr),
    ...[...services.rows()].map(([key]) => SERVICE + key),
    ...[...deviceAddresses.table.rows()].map(([key]) => DEVICE + key),
  ];
  return store.derive<BgpOriginRow>({
    name: 'bgp-origins',
    inputs: [
      input(podCidrs.table, (cidr) => [POD_CIDR + cidr]),
      input(poolShares.table, (cidr) => [POOL_SHARE + cidr]),
      input(podPools.table, (pool) => [...sharesOf.get(pool)].map((cidr) => POOL_SHARE + cidr)),
      input(services, (key) => [SERVICE + key]),
      input(localBackends, (_key, row, before) => [row, before].flatMap((set) => (set ? [`${SERVICE}${set.namespace}/${set.name}`] : []))),
      // Where a pod runs matters to services that nodes without a backend do not announce, and to no others.
      input(endpoints, () => [...localOnly.get('yes')].map((key) => SERVICE + key)),
      input(deviceAddresses.table, (key) => [DEVICE + key]),
      input(entries.table, everything),
    ],
    compute: (key) => {
      const all = entries.table.rows();
      if (key.startsWith(POD_CIDR)) {
        const cidr = key.slice(POD_CIDR.length);
        return podCidrs.table.has(cidr) ? podCidrOrigin(cidr, all) : undefined;
      }
      if (key.startsWith(POOL_SHARE)) {
        const cidr = key.slice(POOL_SHARE.length);
        const share = poolShares.table.get(cidr);
        return share && podPoolOrigin(share.pool, cidr, podPools.table.get(share.pool)?.labels, all);
      }
      if (key.startsWith(DEVICE)) {
        const row = deviceAddresses.table.get(key.slice(DEVICE.length));
        return row && interfaceOrigin(row.device, row.address, all);
      }
      const name = key.slice(SERVICE.length);
      const service = services.get(name);
      return service && serviceOrigin(service, all, () => servedHere(name));
    },
  });
}

function declareRoutes(store: Store, tables: readonly Table<BgpOriginRow>[]): Table<BgpRouteRow> {
  const indexes = tables.map((table) => ({ table, at: table.index('prefix', (row) => row.prefixes.map(({ prefix }) => prefix)) }));
  const prefixesOf = (row: BgpOriginRow | undefined): string[] => (row?.prefixes ?? []).map(({ prefix }) => prefix);
  return store.derive<BgpRouteRow>({
    name: 'bgp-routes',
    inputs: tables.map((table) => input(table, (_key, row, before) => [row, before].flatMap(prefixesOf))),
    compute: (prefix) => {
      const found = indexes.flatMap(({ table, at }) => [...at.get(prefix)].map((key) => ({ key, row: table.get(key) })));
      const entries = found.flatMap(({ row }) => row?.prefixes.find((each) => each.prefix === prefix)?.entries ?? []);
      const unrouted = !found.some(({ key }) => key.startsWith(POD_CIDR) || key.startsWith(DEVICE));
      return entries.length === 0 ? undefined : { entries: [...new Set(entries)].sort(), unrouted };
    },
  });
}

function declareDiscards(store: Store, routes: Table<BgpRouteRow>): Table<true> {
  return store.derive<true>({
    name: 'bgp-discards',
    inputs: [input(routes, (prefix) => [prefix])],
    compute: (prefix) => routes.get(prefix)?.unrouted || undefined,
  });
}
