import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Names of all metrics of the operator. Those that Cilium's operator has carry its names. */
export const METRICS = {
  leader: 'isthmus_operator_leader',
  sinkFailures: 'isthmus_operator_sink_failures_total',
  tableRows: 'isthmus_operator_table_rows',
  nodesRemoved: 'isthmus_operator_node_gc_deleted_total',
  identityEntries: 'cilium_operator_identity_gc_entries',
  identityRuns: 'cilium_operator_identity_gc_runs',
} as const;

/** What the operator counts. */
export class OperatorMetrics {
  /** Holds all of it, for scraping. */
  readonly registry = new Registry();
  readonly #leader = this.#gauge(METRICS.leader, '1 while this operator leads, 0 otherwise', []);
  readonly #sinkFailures = this.#counter(METRICS.sinkFailures, 'Writes that failed and are tried again, by sink', ['sink']);
  readonly #tableRows = this.#gauge(METRICS.tableRows, 'Rows of each table of the leading operator', ['table']);
  readonly #nodesRemoved = this.#counter(METRICS.nodesRemoved, 'Records of nodes without a CiliumNode that were removed', []);
  readonly #identityEntries = this.#gauge(METRICS.identityEntries, 'Identities at the end of a garbage collector run', ['status']);
  readonly #identityRuns = this.#gauge(METRICS.identityRuns, 'Runs of the identity garbage collector', ['outcome']);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#leader.set(0);
  }

  /** Called when leadership comes or goes. What was counted of tables ends with it. */
  leading(leads: boolean): void {
    this.#leader.set(leads ? 1 : 0);
    if (!leads) this.#tableRows.reset();
  }

  /** Called for each row of a sink that failed. */
  sinkFailed(sink: string): void {
    this.#sinkFailures.inc({ sink });
  }

  /** Sets the size of a table. */
  tableRows(table: string, rows: number): void {
    this.#tableRows.set({ table }, rows);
  }

  /** Counts what a pass over the nodes removed. */
  nodesRemoved(count: number): void {
    this.#nodesRemoved.inc(count);
  }

  /** Sets the outcome of a pass over the identities; undefined when it failed. */
  identityPass(result: { alive: number; deleted: number } | undefined): void {
    this.#identityRuns.inc({ outcome: result ? 'success' : 'fail' });
    if (!result) return;
    this.#identityEntries.set({ status: 'alive' }, result.alive);
    this.#identityEntries.set({ status: 'deleted' }, result.deleted);
  }

  #gauge<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
