import { input, LOCAL_SCOPE, type Store, type Table } from '@isthmus/core';
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
  /** Nodes of this cluster and of remote ones. */
  nodes: readonly Table<NodeRow>[];
  peers: Table<PeerRow>;
  /** This node. */
  own: { cluster: string; clusterId: number; node: string };
}

/** Everything outside the mesh. */
const WORLD: ReadonlyMap<string, IpcacheRow> = new Map([
  ['0.0.0.0/0', { identity: RESERVED_IDENTITY.worldIpv4, peer: '', node: false, clusterId: 0 }],
  ['::/0', { identity: RESERVED_IDENTITY.worldIpv6, peer: '', node: false, clusterId: 0 }],
]);

/**
 * Declares the table of what every address is and where it is. A node's own addresses come before pod records of the same address, pods of
 * this node before records, this cluster's records before remote ones, remote ones by cluster name: a remote cluster cannot take over an
 * address of this one.
 */
export function declareIpcache(store: Store, inputs: IpcacheInputs): Table<IpcacheRow> {
  const tables = [inputs.localIps, inputs.remoteIps];
  const recordsAt = tables.map((table) => table.index('ip', (row) => [row.ip]));
  const recordsBehind = tables.map((table) => table.index('host-ip', (row) => (row.hostIp === '' ? [] : [row.hostIp])));
  const nodesAt = inputs.nodes.map((table) => table.index('host-ips', (row) => row.hostIps));
  const endpointsAt = inputs.endpoints.index('ip', endpointIps);

  const recordAt = (ip: string): IpRow | undefined => {
    for (const [i, table] of tables.entries()) {
      const first = least(recordsAt[i]?.get(ip));
      if (first !== undefined) return table.get(first);
    }
    return undefined;
  };
  const nodeAt = (ip: string): NodeRow | undefined => {
    for (const [i, table] of inputs.nodes.entries()) {
      const first = least(nodesAt[i]?.get(ip));
      if (first !== undefined) return table.get(first);
    }
    return undefined;
  };
  /** Addresses whose entry names this peer, or would. */
  const behind = (address: string): string[] => [
    ...tables.flatMap((table, i) => [...(recordsBehind[i]?.get(address) ?? [])].map((key) => table.get(key)?.ip ?? '')),
    ...inputs.nodes.flatMap((table) => [...nodesByAddress(table).get(address)].flatMap((key) => table.get(key)?.hostIps ?? [])),
  ];

  return store.derive<IpcacheRow>({
    name: 'ipcache',
    inputs: [
      input(declareWorld(store), (prefix) => [prefix]),
      input(inputs.endpoints, (_key, row, before) => [...endpointIps(row), ...endpointIps(before)]),
      ...tables.map((table) => input(table, (_key, row, before) => [row?.ip, before?.ip].filter((ip) => ip !== undefined))),
      ...inputs.nodes.map((table) => input(table, (_key, row, before) => [...(row?.hostIps ?? []), ...(before?.hostIps ?? [])])),
      input(inputs.peers, behind),
    ],
    compute: (ip) =>
      nodeEntry(inputs, nodeAt(ip)) ??
      endpointEntry(inputs, least(endpointsAt.get(ip))) ??
      recordEntry(inputs, recordAt(ip)) ??
      WORLD.get(ip),
  });
}

function declareWorld(store: Store): Table<true> {
  const world = store.table<true>('ipcache-world');
  for (const prefix of WORLD.keys()) world.put(prefix, true);
  world.synced(LOCAL_SCOPE);
  world.scopesKnown();
  return world.table;
}

function nodeEntry({ own, peers }: IpcacheInputs, node: NodeRow | undefined): IpcacheRow | undefined {
  if (!node) return undefined;
  const self = node.cluster === own.cluster && node.name === own.node;
  return {
    identity: self ? RESERVED_IDENTITY.host : RESERVED_IDENTITY.remoteNode,
    peer: self ? '' : (node.internalIps.find((address) => peers.has(address)) ?? ''),
    node: true,
    clusterId: node.clusterId,
  };
}

function endpointEntry({ endpoints, own }: IpcacheInputs, key: string | undefined): IpcacheRow | undefined {
  const row = key === undefined ? undefined : endpoints.get(key);
  if (!row || row.identity === RESERVED_IDENTITY.unknown) return undefined;
  return { identity: row.identity, peer: '', node: false, clusterId: own.clusterId };
}

function recordEntry({ peers }: IpcacheInputs, row: IpRow | undefined): IpcacheRow | undefined {
  if (!row) return undefined;
  return { identity: row.identity, peer: peers.has(row.hostIp) ? row.hostIp : '', node: false, clusterId: row.clusterId };
}

function endpointIps(row: EndpointRow | undefined): string[] {
  return row ? [row.ipv4, row.ipv6].filter((ip) => ip !== '') : [];
}

function least(keys: ReadonlySet<string> | undefined): string | undefined {
  let first: string | undefined;
  for (const key of keys ?? []) if (first === undefined || key < first) first = key;
  return first;
}
