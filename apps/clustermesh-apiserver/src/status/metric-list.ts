import { defineMetrics, LOOP_METRICS, processMetrics } from '@isthmus/core';

const REMOTE_LABELS = ['source_cluster', 'target_cluster'] as const;
const SYNC_LABELS = ['scope', 'source_cluster'] as const;
const INITIAL_LABELS = [...SYNC_LABELS, 'action'] as const;
const LEASED = 'the scope `leased` stands for heartbeat, configuration and canaries together';

/** Every metric of the apiserver. It does the work of two of Cilium's containers, and so has the names of both. */
export const APISERVER_METRICS = defineMetrics('clustermesh-apiserver', {
  isthmus_apiserver_ready: { type: 'gauge', labels: [], unit: '1 or 0', help: '1 while nothing is waited for' },
  cilium_clustermesh_apiserver_kvstore_initial_sync_completed: {
    type: 'gauge',
    labels: INITIAL_LABELS,
    unit: '1 or 0',
    help: '1 when all records of a kind have been exported once',
  },
  cilium_clustermesh_apiserver_kvstore_sync_errors_total: {
    type: 'counter',
    labels: SYNC_LABELS,
    unit: 'records',
    help: 'Exported records that could not be written to the mesh etcd; they are tried again',
    deviation: LEASED,
  },
  isthmus_export_dropped_records_total: {
    type: 'counter',
    labels: ['kind', 'reason'],
    unit: 'records',
    help: 'Records of this cluster that no peer would take',
  },
  cilium_kvstoremesh_remote_clusters: {
    type: 'gauge',
    labels: ['source_cluster'],
    unit: 'clusters',
    help: 'Remote clusters that are configured',
  },
  cilium_kvstoremesh_remote_cluster_readiness_status: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: '1 or 0',
    help: '1 while the mirror of a remote cluster is complete and current',
  },
  cilium_kvstoremesh_remote_cluster_failures: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'times',
    help: 'Times that a remote cluster became degraded or failed',
  },
  cilium_kvstoremesh_remote_cluster_last_failure_ts: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'seconds since 1970',
    help: 'When it last did; 0 if never',
  },
  cilium_kvstoremesh_kvstore_initial_sync_completed: {
    type: 'gauge',
    labels: INITIAL_LABELS,
    unit: '1 or 0',
    help: '1 when all records of a kind of a remote cluster have been read',
  },
  cilium_kvstoremesh_kvstore_sync_errors_total: {
    type: 'counter',
    labels: SYNC_LABELS,
    unit: 'records',
    help: 'Mirrored records that could not be written to the mesh etcd; they are tried again',
    deviation: `\`source_cluster\` is this cluster, for the mirrors of all remote ones; ${LEASED}; \`clusters\` and \`heartbeats\` are our own keys`,
  },
  isthmus_remote_heartbeat_age_seconds: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'seconds',
    help: 'Since the heartbeat of a remote cluster last changed',
  },
  isthmus_remote_dropped_records_total: {
    type: 'counter',
    labels: [...REMOTE_LABELS, 'kind', 'reason'],
    unit: 'records',
    help: 'Records of a remote cluster that were not taken',
  },
  isthmus_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    labels: ['certificate', 'use'],
    unit: 'seconds since 1970',
    help: 'When a certificate ends',
  },
  isthmus_table_rows: {
    type: 'gauge',
    labels: ['table'],
    unit: 'rows',
    help: 'Rows of each table; those of sink/* are what a sink could not write yet',
  },
  ...processMetrics(''),
  ...LOOP_METRICS,
});
