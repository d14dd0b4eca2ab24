import { defineMetrics, LOOP_METRICS, processMetrics } from '@isthmus/core';

/** Every metric of the operator. */
export const OPERATOR_METRICS = defineMetrics('operator', {
  isthmus_operator_leader: { type: 'gauge', labels: [], unit: '1 or 0', help: '1 while this operator leads' },
  isthmus_operator_sink_failures_total: {
    type: 'counter',
    labels: ['sink'],
    unit: 'writes',
    help: 'Writes that failed; they are tried again',
  },
  isthmus_operator_node_gc_deleted_total: {
    type: 'counter',
    labels: [],
    unit: 'records',
    help: 'Records of nodes without a CiliumNode that were removed',
  },
  cilium_operator_bgp_control_plane_reconcile_errors_total: {
    type: 'counter',
    labels: ['resource_kind', 'resource_name'],
    unit: 'writes',
    help: 'Writes of BGP objects that failed; they are tried again',
  },
  cilium_operator_identity_gc_entries: {
    type: 'gauge',
    labels: ['status', 'identity_type'],
    unit: 'identities',
    help: 'Identities at the end of the last pass over them: alive, and deleted by it',
  },
  cilium_operator_identity_gc_runs: {
    type: 'gauge',
    labels: ['outcome', 'identity_type'],
    unit: 'passes',
    help: 'Passes over the identities, by outcome: success or fail',
  },
  isthmus_table_rows: {
    type: 'gauge',
    labels: ['table'],
    unit: 'rows',
    help: 'Rows of each table of the leading operator; those of sink/* are what a sink could not write yet',
  },
  ...processMetrics('cilium_operator_'),
  ...LOOP_METRICS,
});
