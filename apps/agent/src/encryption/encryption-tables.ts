import {
  type Epoch,
  type MeshTarget,
  meshTarget,
  type PeerView,
  recordWithoutEpochs,
  type WantedEpoch,
  type WireGuardDevice,
  type WireGuardRecord,
} from '@isthmus/crypto';
import { usableWireGuardRows } from '@isthmus/mesh';
import type { NodeRow, WireGuardRow, WireGuardTargetRow } from '@isthmus/model';
import type { AgentTables, OwnNode } from '../tables/agent-tables.ts';
import { keysWithoutEpochs } from '../tables/keys-without-epochs.ts';

/** Which nodes get keys. */
export interface Served {
  /** Whether a node is to be left closed. */
  readonly isExcluded?: (name: string) => boolean;
  /** False: none that knows of no epochs. With those there can be no preshared keys. */
  readonly servesAll?: boolean;
}

/** What the agent's tables say of encryption, and the one that its keys decide: by which device packets go to a node. */
export class EncryptionTables {
  /** Own name, `<cluster>/<node>`. */
  readonly name: string;
  readonly #tables: AgentTables;
  readonly #cluster: string;
  /** Whether a node is to be left closed. */
  readonly isExcluded: (name: string) => boolean;
  #usable: { readonly revision: number; readonly rows: ReadonlyMap<string, WireGuardRow> } | undefined;

  /** Nodes that know of no epochs, too. */
  readonly #servesAll: boolean;

  /** @param served who is left closed: nobody, unless given */
  constructor(tables: AgentTables, own: Pick<OwnNode, 'cluster' | 'node'>, { isExcluded, servesAll }: Served = {}) {
    this.isExcluded = isExcluded ?? (() => false);
    this.#servesAll = servesAll ?? true;
    this.name = `${own.cluster}/${own.node}`;
    this.#tables = tables;
    this.#cluster = own.cluster;
  }

  /** Tables that a decision about keys depends on. */
  get watched() {
    const { localWireGuard, remoteWireGuard, localWireGuardTargets, remoteWireGuardTargets, localNodes, remoteNodes } =
      this.#tables.sources;
    return [localWireGuard, remoteWireGuard, localWireGuardTargets, remoteWireGuardTargets, localNodes, remoteNodes].map(
      ({ table }) => table,
    );
  }

  /** The epoch that the node is to be at. @param newest that it has keys of */
  target(newest: Epoch): MeshTarget {
    const live = [...this.#rows().values()].map(({ cluster, epochs }) => ({ cluster, epochs: epochs.map(({ epoch }) => epoch) }));
    return meshTarget({ cluster: this.#cluster, newest }, this.targets(), live);
  }

  /** Of each cluster that has one. */
  targets(): WireGuardTargetRow[] {
    const { localWireGuardTargets, remoteWireGuardTargets } = this.#tables.sources;
    return [localWireGuardTargets, remoteWireGuardTargets].flatMap(({ table }) => [...table.rows()].map(([, row]) => row));
  }

  /** What the store has of this node. */
  published(): WireGuardRecord | undefined {
    return this.recordOf(this.name);
  }

  /** What a node publishes. */
  recordOf(name: string): WireGuardRecord | undefined {
    return recordOf(this.#rows().get(name));
  }

  /** What the store has of this node about what other clusters want. */
  publishedWanted(): WantedEpoch | undefined {
    return this.#tables.sources.localWireGuard.table.get(this.name)?.wanted;
  }

  /** Another node, by name. */
  node(name: string): NodeRow | undefined {
    const { localNodes, remoteNodes } = this.#tables.sources;
    return localNodes.table.get(name) ?? remoteNodes.table.get(name);
  }

  /**
   * All other nodes. One whose addresses are not sent to alike counts as closed: a change that was cut short is made again.
   * @param own this node's public keys
   */
  peers(own: ReadonlyMap<Epoch, string>): PeerView[] {
    const { localNodes, remoteNodes, wireguardTx } = this.#tables.sources;
    const rows = this.#rows();
    const nodes = [localNodes, remoteNodes].flatMap(({ table }) => [...table.rows()]).filter(([name]) => name !== this.name);
    const single = this.#servesAll ? keysWithoutEpochs(nodes, rows, own.values()) : new Map<string, string>();
    return nodes.map(([name, { internalIps }]) => {
      const devices = new Set(internalIps.map((ip) => wireguardTx.table.get(ip)?.device ?? 'closed'));
      const tx = devices.size === 1 ? [...devices][0]! : 'closed';
      if (this.isExcluded(name)) return { name, tx, record: undefined };
      const key = single.get(name);
      if (key === undefined) return { name, tx, record: rows.get(name) };
      return { name, tx, record: recordWithoutEpochs(key, own.keys()), withoutEpochs: true };
    });
  }

  /** Has packets to all addresses of a node go by a device, or by none, in one commit. @returns the addresses, and the commit's revision */
  send(peer: string, device: WireGuardDevice | undefined): { addresses: readonly string[]; revision: number } {
    const { store, sources } = this.#tables;
    const addresses = this.node(peer)?.internalIps ?? [];
    store.transact(() => {
      for (const ip of addresses)
        if (device === undefined) sources.wireguardTx.delete(ip);
        else sources.wireguardTx.put(ip, { device });
    });
    return { addresses, revision: store.revision };
  }

  /** Takes over what an earlier agent let the datapath send by: a peer must not be closed only because nobody has said anything of it yet. */
  adopt(tx: Iterable<readonly [address: string, device: WireGuardDevice]>): void {
    const { store, sources } = this.#tables;
    store.transact(() => {
      for (const [address, device] of tx) sources.wireguardTx.put(address, { device });
    });
  }

  /** They are asked for several times in a look, and a large mesh has many. */
  #rows(): ReadonlyMap<string, WireGuardRow> {
    const { store, sources } = this.#tables;
    if (this.#usable?.revision === store.revision) return this.#usable.rows;
    const rows = usableWireGuardRows([...sources.localWireGuard.table.rows(), ...sources.remoteWireGuard.table.rows()], this.#cluster);
    this.#usable = { revision: store.revision, rows };
    return rows;
  }
}

function recordOf(row: WireGuardRow | undefined): WireGuardRecord | undefined {
  if (row === undefined) return undefined;
  const { epochs, minTx, laggards, blockedBy } = row;
  return { epochs, minTx, laggards, ...(blockedBy && { blockedBy }) };
}
