import { input, LOCAL_SCOPE, type RowKeys, type Store, type Table } from '@isthmus/core';
import { type EndpointRow, type IpcacheRow, type IpRow, type NodeRow, type PeerRow, RESERVED_IDENTITY } from '@isthmus/model';
import { nodesByAddress } from './peers.ts';

/** What the ipcache is made of. */
export interface IpcacheInputs {
  /** Pods of this node: known here before anybody else knows them. */
  endpoints: Table<EndpointRow>;
  /** Address records of this cluster. */
  localIps: Table<IpRow>;
  /** Address records of remote clusters. */
  remoteIps: Table<IpRow>;
  localNodes: Table<NodeRow>;
  remoteNodes: Table<NodeRow>;
  peers: Table<PeerRow>;
  /** Whether nodes' own packets to a node go as they are. */
  inTheClear?: (node: NodeRow) => boolean;
  /** This node. */
  own: { cluster: string; clusterId: number; node: string };
}

/** Where this cluster's own tables stand among the two of a kind, and the remote ones. */
const [LOCAL, REMOTE] = [0, 1];

/** Everything outside the mesh. */
const WORLD: ReadonlyMap<string, IpcacheRow> = new Map([
  ['0.0.0.0/0', { identity: RESERVED_IDENTITY.worldIpv4, peer: '', peerKnown: true, node: false, clusterId: 0 }],
  ['::/0', { identity: RESERVED_IDENTITY.worldIpv6, peer: '', peerKnown: true, node: false, clusterId: 0 }],
]);

/**
 * Declares the table of what every address is and where it is. The world is nobody's to claim. What this cluster says comes first: its nodes,
 * pods of this node, its records; then remote nodes and remote records, by cluster name. So a remote cluster cannot take over an address of
 * this one.
 */
export function declareIpcache(store: Store, inputs: IpcacheInputs): Table<IpcacheRow> {
  const tables = [inputs.localIps, inputs.remoteIps];
  const nodes = [inputs.localNodes, inputs.remoteNodes];
  const recordsAt = tables.map((table) => table.index('ip', (row) => [row.ip]));
  const recordsBehind = tables.map((table) => table.index('host-ip', (row) => (row.hostIp === '' ? [] : [row.hostIp])));
  const nodesAt = nodes.map((table) => table.index('host-ips', (row) => row.hostIps));
  const endpointsAt = inputs.endpoints.index('ip', endpointIps);

  const recordAt = (from: number, ip: string): IpRow | undefined => firstRow(tables[from], recordsAt[from]?.get(ip));
  const nodeAt = (from: number, ip: string): NodeRow | undefined => firstRow(nodes[from], nodesAt[from]?.get(ip));
  /** Addresses whose entry names this peer, or would. */
  const behind = (address: string): string[] => [
    ...tables.flatMap((table, i) => [...(recordsBehind[i]?.get(address) ?? [])].map((key) => table.get(key)?.ip ?? '')),
    ...nodes.flatMap((table) => [...nodesByAddress(table).get(address)].flatMap((key) => table.get(key)?.hostIps ?? [])),
  ];

  return store.derive<IpcacheRow>({
    name: 'ipcache',
    inputs: [
      input(declareWorld(store), (prefix) => [prefix]),
      input(inputs.endpoints, (_key, row, before) => [...endpointIps(row), ...endpointIps(before)]),
      ...tables.map((table) => input(table, (_key, row, before) => addressesOf(row, before))),
      ...nodes.map((table) => input(table, (_key, row, before) => [...(row?.hostIps ?? []), ...(before?.hostIps ?? [])])),
      input(inputs.peers, behind),
    ],
    compute: (ip) =>
      WORLD.get(ip) ??
      nodeEntry(inputs, nodeAt(LOCAL, ip)) ??
      endpointEntry(inputs, least(endpointsAt.get(ip))) ??
      recordEntry(inputs, recordAt(LOCAL, ip)) ??
      nodeEntry(inputs, nodeAt(REMOTE, ip)) ??
      recordEntry(inputs, recordAt(REMOTE, ip)),
  });
}

function declareWorld(store: Store): Table<true> {
  const world = store.table<true>('ipcache-world');
  for (const prefix of WORLD.keys()) world.put(prefix, true);
  world.synced(LOCAL_SCOPE);
  world.scopesKnown();
  return world.table;
}

function nodeEntry({ own, peers, inTheClear }: IpcacheInputs, node: NodeRow | undefined): IpcacheRow | undefined {
  if (!node) return undefined;
  const self = node.cluster === own.cluster && node.name === own.node;
  return {
    identity: self ? RESERVED_IDENTITY.host : RESERVED_IDENTITY.remoteNode,
    peer: self ? '' : (node.internalIps.find((address) => peers.has(address)) ?? ''),
    peerKnown: true,
    node: true,
    clusterId: node.clusterId,
    ...(!self && inTheClear?.(node) && { inTheClear: true }),
  };
}

function endpointEntry({ endpoints, own }: IpcacheInputs, key: string | undefined): IpcacheRow | undefined {
  const row = key === undefined ? undefined : endpoints.get(key);
  if (!row || row.identity === RESERVED_IDENTITY.unknown) return undefined;
  return { identity: row.identity, peer: '', peerKnown: true, node: false, clusterId: own.clusterId };
}

function recordEntry({ peers, localNodes, own }: IpcacheInputs, row: IpRow | undefined): IpcacheRow | undefined {
  if (!row) return undefined;
  // A record of this node itself is behind no peer; one without a host is nowhere, and closed.
  const here = nodesByAddress(localNodes).get(row.hostIp).has(`${own.cluster}/${own.node}`);
  const peer = here ? '' : row.hostIp;
  return { identity: row.identity, peer, peerKnown: peer === '' || peers.has(peer), node: false, clusterId: row.clusterId };
}

/** Of a record now and before: most often the same one. */
function addressesOf(row: IpRow | undefined, before: IpRow | undefined): string[] {
  if (!row) return before ? [before.ip] : [];
  return before && before.ip !== row.ip ? [row.ip, before.ip] : [row.ip];
}

function endpointIps(row: EndpointRow | undefined): string[] {
  return row ? [row.ipv4, row.ipv6].filter((ip) => ip !== '') : [];
}

function firstRow<V>(table: Table<V> | undefined, keys: RowKeys | undefined): V | undefined {
  const first = least(keys);
  return first === undefined ? undefined : table?.get(first);
}

function least(keys: RowKeys | undefined): string | undefined {
  if (!keys || keys.size === 0) return undefined;
  let first: string | undefined;
  for (const key of keys) if (first === undefined || key < first) first = key;
  return first;
}
