import { MetricSet, measureOwnProcess, type Table } from '@isthmus/core';
import { OPERATOR_METRICS } from './metric-list.ts';

/** Where the identities lie that are collected here. */
const IDENTITY_TYPE = { identity_type: 'kvstore' } as const;

/** What the operator counts. */
export class OperatorMetrics {
  /** Holds all of it, for scraping. */
  readonly set = new MetricSet(OPERATOR_METRICS);

  constructor() {
    measureOwnProcess(this.set, 'cilium_operator_');
    this.leading(false);
  }

  /** Called when leadership comes or goes. */
  leading(leads: boolean): void {
    this.set.set('isthmus_operator_leader', {}, leads ? 1 : 0);
  }

  /** Says which tables there are; none while this operator does not lead. */
  tables(tables: () => readonly Table<unknown>[]): void {
    this.set.read('isthmus_table_rows', () => tables().map((table) => [{ table: table.name }, table.size]));
  }

  /** Called for each row of a sink that failed. */
  sinkFailed(sink: string): void {
    this.set.add('isthmus_operator_sink_failures_total', { sink });
  }

  /** Called for each BGP object that could not be written. */
  bgpFailed(kind: string, name: string): void {
    this.set.add('cilium_operator_bgp_control_plane_reconcile_errors_total', { resource_kind: kind, resource_name: name });
  }

  /** Counts what a pass over the nodes removed. */
  nodesRemoved(count: number): void {
    this.set.add('isthmus_operator_node_gc_deleted_total', {}, count);
  }

  /** Tells of a pass over the identities; undefined when it failed. */
  identityPass(result: { alive: number; deleted: number } | undefined): void {
    this.set.add('cilium_operator_identity_gc_runs', { outcome: result ? 'success' : 'fail', ...IDENTITY_TYPE });
    if (!result) return;
    this.set.set('cilium_operator_identity_gc_entries', { status: 'alive', ...IDENTITY_TYPE }, result.alive);
    this.set.set('cilium_operator_identity_gc_entries', { status: 'deleted', ...IDENTITY_TYPE }, result.deleted);
  }
}
