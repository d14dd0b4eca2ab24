import { decodeWireGuard, decodeWireGuardTarget, encodeWireGuard, encodeWireGuardTarget } from '@isthmus/mesh';
import type { WireGuardRow, WireGuardTargetRow } from '@isthmus/model';

/** Name under which a cluster's target is. */
const TARGET = 'target';

/** One change in the store. */
interface Entry {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly cluster: string;
  readonly clusterId: number;
  /** Of the node; undefined for the cluster's target. */
  readonly node: string | undefined;
  readonly bytes: Uint8Array;
}

/** What a reader makes of changes. */
export interface RecordSink {
  row(name: string, row: WireGuardRow): void;
  target(row: WireGuardTargetRow): void;
}

/** The stores of a mesh, as one list of changes that everybody reads. */
export class RecordLog {
  readonly #entries: Entry[] = [];
  bytes = 0;
  /** Processor milliseconds that readers took. */
  decodingMs = 0;
  /** Records that somebody read and could not take; there should be none. */
  readonly dropped: string[] = [];

  get writes(): number {
    return this.#entries.length;
  }

  publish(at: number, row: WireGuardRow): void {
    this.#append({ at, cluster: row.cluster, clusterId: row.clusterId, node: row.name, bytes: Buffer.from(encodeWireGuard(row)) });
  }

  raise(at: number, row: WireGuardTargetRow): void {
    const { cluster, clusterId } = row;
    this.#append({ at, cluster, clusterId, node: undefined, bytes: Buffer.from(encodeWireGuardTarget(row)) });
  }

  /** Has a reader decode what was written up to an instant. @param from the first change that it has not seen @returns the first that it does not see yet */
  read(from: number, until: number, sink: RecordSink): number {
    const first = this.#entries[from];
    if (first === undefined || first.at > until) return from;
    let next = from;
    const began = process.threadCpuUsage();
    for (; next < this.#entries.length; next++) {
      const entry = this.#entries[next]!;
      if (entry.at > until) break;
      this.#decode(entry, sink);
    }
    const { user, system } = process.threadCpuUsage(began);
    this.decodingMs += (user + system) / 1000;
    return next;
  }

  #append(entry: Entry): void {
    this.#entries.push(entry);
    this.bytes += entry.bytes.length;
  }

  #decode({ cluster, clusterId, node, bytes }: Entry, sink: RecordSink): void {
    if (node === undefined) {
      const decoded = decodeWireGuardTarget(bytes, { cluster, clusterId, name: TARGET });
      if (decoded.ok) sink.target(decoded.value);
      else this.dropped.push(`target of ${cluster}: ${decoded.reason}`);
      return;
    }
    const decoded = decodeWireGuard(bytes, { cluster, clusterId, name: node });
    if (decoded.ok) sink.row(`${cluster}/${node}`, decoded.value);
    else this.dropped.push(`${cluster}/${node}: ${decoded.reason}`);
  }
}
