import { byCluster, type Epoch, nextWanted, nodesBehind, presentTarget } from '@isthmus/crypto';
import type { WireGuardRow, WireGuardTargetRow } from '@isthmus/model';
import type { RecordSink } from './record-log.ts';

/** The epoch that a cluster asks for, and who is behind it. */
export type RaisedTarget = Pick<WireGuardTargetRow, 'target' | 'by' | 'reason'>;

/** A cluster's operator: it follows other clusters, by what its nodes say that those want, once all of them have come along. See `scheduleStep` of the real one. */
export class SimulatedOperator implements RecordSink {
  /** The first change in the store that it has not seen. */
  cursor = 0;
  readonly #cluster: string;
  readonly #nodes: readonly string[];
  readonly #rows = new Map<string, WireGuardRow>();
  #own: WireGuardTargetRow | undefined;
  #raised: Epoch = 0;

  /** @param nodes of the cluster, `<cluster>/<node>` */
  constructor(cluster: string, nodes: readonly string[]) {
    this.#cluster = cluster;
    this.#nodes = nodes;
  }

  row(name: string, row: WireGuardRow): void {
    if (row.cluster === this.#cluster) this.#rows.set(name, row);
  }

  target(row: WireGuardTargetRow): void {
    if (row.cluster === this.#cluster) this.#own = row;
  }

  /** What it asks for now; undefined: nothing new. */
  step(): RaisedTarget | undefined {
    const next = this.#own === undefined ? { target: 1, by: 'operator', reason: 'first target' } : this.#followed();
    // It is asked for once, and read back later.
    if (next === undefined || next.target <= this.#raised) return undefined;
    this.#raised = next.target;
    return next;
  }

  #followed(): RaisedTarget | undefined {
    const rows = [...this.#rows];
    const epochs = new Map(rows.map(([name, row]) => [name, row.epochs.at(-1)?.epoch ?? 0]));
    const target = presentTarget(this.#own, epochs);
    const wanted = nextWanted(
      target,
      rows.map(([, row]) => row.wanted),
    );
    if (wanted === undefined || nodesBehind(this.#nodes, epochs, target).length > 0) return undefined;
    return { target: target + 1, by: byCluster(wanted.cluster), reason: 'is at it' };
  }
}
