import {
  type Clock,
  CodedError,
  IdPool,
  LOCAL_SCOPE,
  messageOf,
  type Random,
  type Sink,
  type SinkContext,
  SinkGroup,
  type SinkTarget,
} from '@isthmus/core';
import {
  type BpfMap,
  backendCodec,
  backendKeyOf,
  clusterScope,
  decodeIpcacheValue,
  endpointCodec,
  frontendKeyOf,
  ipcacheCodec,
  ipcacheKeyBytes,
  MapSink,
  meshRangeCodec,
  PodProgramSink,
  peerAddress,
  peerCodec,
  type RouteRow,
  revnatCodec,
  seedPool,
} from '@isthmus/datapath';
import type { EndpointRow, LearnedRouteRow } from '@isthmus/model';
import type { BackendAddressRow, RevnatRow } from '@isthmus/service';
import { ENDPOINT_NOT_SETTLED } from '../agent.errors.ts';
import type { AgentTables, OwnNode } from '../tables/agent-tables.ts';
import { FrontendSink } from './frontend-sink.ts';
import type { LoadedPrograms } from './programs.ts';
import { SocketTerminator } from './socket-terminator.ts';

/** A peer's or backend's number must outlive the last packet or socket that names it. */
const NUMBER_GRACE_MS = 300_000;
const MAX_U16 = 65_535;
/** Never scarcer than rows of the map. */
const MAX_BACKENDS = 0xff_ff_ff;

/** Every sink of the kernel. */
export interface KernelSinks {
  readonly group: SinkGroup;
  /** Resolves when the datapath has what an endpoint's row says. */
  settled(row: EndpointRow, revision: number, signal?: AbortSignal): Promise<void>;
  /** Resolves when the kernel has an address of another node as a revision says. */
  peerSettled(address: string, revision: number, signal: AbortSignal): Promise<void>;
  /** Resolves when every pod's device runs the program that was given. */
  podProgramsAttached(revision: number, signal?: AbortSignal): Promise<void>;
}

/** What the sinks write to. */
export interface KernelSinkOptions {
  readonly tables: AgentTables;
  readonly own: OwnNode;
  readonly programs: LoadedPrograms;
  readonly pinFolder: string;
  /** Pods' devices have TCX links where the kernel has them. */
  readonly tcx: boolean;
  readonly routes: SinkTarget<RouteRow>;
  readonly learnedRoutes: SinkTarget<LearnedRouteRow>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report?: SinkContext['report'];
}

/**
 * Declares the sinks of the kernel and their orders (the table in ARCHITECTURE.md): the peer before the addresses behind it, the backend
 * before the service slot that names it, the program before the endpoint that makes packets flow.
 */
export function declareKernelSinks(options: KernelSinkOptions): KernelSinks {
  const { tables, own, programs, pinFolder, tcx, routes, clock, random, report } = options;
  const group = new SinkGroup(tables.store, clock, random, () => new Promise((resolve) => setImmediate(resolve)), report);
  const maps = kernelMaps(programs);
  const pools = seededPools(maps, clock);
  tables.adoptedBackends.adopt(maps.services, maps.backends);

  const { learned, peers, ipcache } = addMeshSinks(group, options, maps, pools);
  const devices = group.add({
    name: 'pod-devices',
    table: tables.podDevices,
    target: new PodProgramSink({ programFd: programs.podProgram, pinFolder, tcx }),
  });
  const endpoints = group.add({
    name: 'local-addresses',
    table: tables.localAddresses,
    target: new MapSink(maps.endpoints, endpointCodec),
    after: [devices, ipcache] as Sink<unknown>[],
  });
  const routeSink = group.add({ name: 'routes', table: tables.routes, target: routes, after: [learned] as Sink<unknown>[] });
  const backends = group.add({
    name: 'backends',
    table: tables.backends,
    startWhenSynced: LOCAL_SCOPE,
    target: new MapSink<BackendAddressRow>(maps.backends, backendCodec(pools.backends, own.clusterId)),
  });
  const revnat = group.add({
    name: 'revnat',
    table: tables.revnats,
    target: new MapSink<RevnatRow>(maps.revnat, revnatCodec(pools.revnat)),
  });
  const sockets = group.add({
    name: 'socket-terminator',
    table: tables.translations,
    startWhenSynced: LOCAL_SCOPE,
    target: new SocketTerminator(tables.sources.endpoints.table, maps.sockNat, (ip) => scopeOfAddress(maps.ipcache, ip, own.clusterId)),
  });
  group.add({
    name: 'frontends',
    table: tables.frontends,
    startWhenSynced: LOCAL_SCOPE,
    target: new FrontendSink(maps.services, pools),
    after: [backends, revnat, sockets] as Sink<unknown>[],
  });
  return {
    group,
    peerSettled: (address, revision, signal) => peers.settled(address, revision, signal),
    podProgramsAttached: (revision, signal) => devices.flushed(revision, () => true, signal),
    settled: async (row, revision, signal) => {
      const addresses = [row.ipv4, row.ipv6].filter((ip) => ip !== '');
      const waits: Wait[] = [
        [devices, row.interfaceName],
        [routeSink, ''],
        ...addresses.flatMap((ip): Wait[] => [
          [ipcache, ip],
          [endpoints, ip],
        ]),
      ];
      try {
        await Promise.all(waits.map(([sink, key]) => sink.settled(key, revision, signal)));
      } catch (cause) {
        throw notSettled(row, waits, cause);
      }
    },
  };
}

type KernelMaps = ReturnType<typeof kernelMaps>;
type KernelPools = ReturnType<typeof seededPools>;

/** Where everybody is: ways to other nodes, the nodes, and what is behind them. */
function addMeshSinks(group: SinkGroup, { tables, own, learnedRoutes }: KernelSinkOptions, maps: KernelMaps, pools: KernelPools) {
  const learned = group.add({ name: 'learned-routes', table: tables.sources.learnedRoutes.table, target: learnedRoutes });
  // A peer is native, and leaves the routes into the tunnel, once the kernel has its way there; and in reverse.
  const peers = group.add({
    name: 'peers',
    table: tables.peers,
    target: new MapSink(maps.peers, peerCodec(pools.peers, own.clusterId)),
    after: [learned] as Sink<unknown>[],
  });
  const ipcache = group.add({
    name: 'ipcache',
    table: tables.ipcache,
    target: new MapSink(maps.ipcache, ipcacheCodec(pools.peers, own.clusterId)),
    after: [peers] as Sink<unknown>[],
  });
  group.add({
    name: 'mesh-ranges',
    table: tables.meshRanges,
    target: new MapSink(maps.meshRanges, meshRangeCodec(pools.peers, own.clusterId)),
    after: [peers] as Sink<unknown>[],
  });
  return { learned, peers, ipcache };
}

function kernelMaps(programs: LoadedPrograms) {
  return {
    peers: programs.map('isth_peers'),
    meshRanges: programs.map('isth_mesh_ranges'),
    ipcache: programs.map('isth_ipcache'),
    endpoints: programs.map('isth_endpoints'),
    backends: programs.map('isth_backends'),
    revnat: programs.map('isth_revnat'),
    services: programs.map('isth_services'),
    sockNat: programs.map('isth_sock_nat'),
  };
}

/** Numbers that the kernel knows already are not given to others. */
function seededPools(maps: KernelMaps, clock: Clock) {
  const pool = (name: string, max: number): IdPool => new IdPool({ name, min: 1, max, graceMs: NUMBER_GRACE_MS }, clock);
  const pools = { peers: pool('isth_peers', MAX_U16), backends: pool('isth_backends', MAX_BACKENDS), revnat: pool('isth_revnat', MAX_U16) };
  seedPool(pools.peers, maps.peers.entries(), peerAddress);
  seedPool(pools.backends, maps.backends.entries(), backendKeyOf);
  seedPool(pools.revnat, maps.revnat.entries(), frontendKeyOf);
  return pools;
}

/** Scope of the cluster that the kernel takes an address for; what it does not know is nobody's but ours. */
function scopeOfAddress(ipcache: Pick<BpfMap, 'lookup'>, ip: string, ownClusterId: number): string {
  const entry = ipcache.lookup(ipcacheKeyBytes(ip));
  return clusterScope(entry ? decodeIpcacheValue(entry).cluster : 0, ownClusterId);
}

/** A sink, and the row of it that an endpoint waits for. */
type Wait = readonly [sink: Pick<Sink<unknown>, 'name' | 'status' | 'settled'>, key: string];

/** Says which row the kernel refuses, or that the sinks are behind. */
function notSettled(row: EndpointRow, waits: readonly Wait[], cause: unknown): CodedError {
  const refused = waits.flatMap(([sink, key]) => {
    const status = sink.status.get(key);
    return status ? [`${sink.name} ${key}: ${status.error}`] : [];
  });
  const object = `${row.namespace}/${row.pod}`;
  const why = refused.length > 0 ? refused.join('; ') : `its sinks are behind (${messageOf(cause)})`;
  return new CodedError(ENDPOINT_NOT_SETTLED, `the datapath does not have ${object} yet: ${why}`, { object, cause });
}
