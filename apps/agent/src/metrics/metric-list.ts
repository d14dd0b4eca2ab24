import { defineMetrics, LOOP_METRICS, processMetrics } from '@isthmus/core';

const NODE_LABELS = ['source_cluster', 'source_node_name'] as const;
const REMOTE_LABELS = ['source_cluster', 'source_node_name', 'target_cluster'] as const;
const NEIGHBOR_LABELS = ['vrouter', 'neighbor', 'neighbor_asn'] as const;

/** Every metric of the agent. */
export const AGENT_METRICS = defineMetrics('agent', {
  isthmus_agent_ready: { type: 'gauge', labels: [], unit: '1 or 0', help: '1 while the agent serves pods' },
  cilium_forward_count_total: { type: 'counter', labels: ['direction'], unit: 'packets', help: 'Packets that the datapath passed on' },
  cilium_forward_bytes_total: { type: 'counter', labels: ['direction'], unit: 'bytes', help: 'Bytes that the datapath passed on' },
  cilium_drop_count_total: {
    type: 'counter',
    labels: ['reason', 'direction'],
    unit: 'packets',
    help: 'Packets that the datapath dropped, by reason',
    deviation: 'of direction `SERVICE`: connections to services that nobody serves, which are refused before there is a packet',
  },
  cilium_drop_bytes_total: {
    type: 'counter',
    labels: ['reason', 'direction'],
    unit: 'bytes',
    help: 'Bytes that the datapath dropped, by reason',
  },
  isthmus_datapath_events_lost_total: {
    type: 'counter',
    labels: [],
    unit: 'events',
    help: 'Events that found the ring to the agent full; the packets themselves are counted under their reasons',
  },
  cilium_endpoint: { type: 'gauge', labels: [], unit: 'endpoints', help: 'Pods that the agent serves' },
  cilium_endpoint_state: {
    type: 'gauge',
    labels: ['endpoint_state'],
    unit: 'endpoints',
    help: 'Pods that the agent serves, by state',
    deviation: 'the states are `ready`, `not-ready` and `waiting-for-identity`',
  },
  cilium_ip_addresses: { type: 'gauge', labels: ['family'], unit: 'addresses', help: 'Addresses that pods of this node have' },
  cilium_nodes_all_num: { type: 'gauge', labels: [], unit: 'nodes', help: 'Nodes of all clusters that the agent knows' },
  cilium_clustermesh_remote_clusters: {
    type: 'gauge',
    labels: NODE_LABELS,
    unit: 'clusters',
    help: 'Remote clusters that are configured',
  },
  cilium_clustermesh_remote_cluster_readiness_status: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: '1 or 0',
    help: '1 while all that is known of a remote cluster is complete and current',
  },
  cilium_clustermesh_remote_cluster_failures: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'times',
    help: 'Times that a remote cluster became degraded or failed',
  },
  cilium_clustermesh_remote_cluster_last_failure_ts: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'seconds since 1970',
    help: 'When it last did; 0 if never',
  },
  cilium_clustermesh_remote_cluster_nodes: { type: 'gauge', labels: REMOTE_LABELS, unit: 'nodes', help: 'Nodes of a remote cluster' },
  cilium_clustermesh_remote_cluster_services: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'services',
    help: 'Global services that a remote cluster shares',
  },
  cilium_clustermesh_remote_cluster_endpoints: {
    type: 'gauge',
    labels: REMOTE_LABELS,
    unit: 'addresses',
    help: 'Addresses of pods and nodes of a remote cluster',
  },
  cilium_clustermesh_global_services: {
    type: 'gauge',
    labels: NODE_LABELS,
    unit: 'services',
    help: 'Global services of this cluster',
    deviation: 'services of this cluster that are global; those that only other clusters have are not counted',
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
  cilium_bgp_control_plane_session_state: {
    type: 'gauge',
    labels: NEIGHBOR_LABELS,
    unit: '1 or 0',
    help: '1 while the session with a BGP peer is established',
    deviation: '`vrouter` is the name of the instance, `neighbor` the address of the peer',
  },
  cilium_bgp_control_plane_advertised_routes: {
    type: 'gauge',
    labels: [...NEIGHBOR_LABELS, 'afi', 'safi'],
    unit: 'routes',
    help: 'Routes that a BGP peer was told of',
  },
  cilium_bgp_control_plane_received_routes: {
    type: 'gauge',
    labels: [...NEIGHBOR_LABELS, 'afi', 'safi'],
    unit: 'routes',
    help: 'Routes that a BGP peer told of, accepted or not',
  },
  isthmus_bgp_learned_routes: {
    type: 'gauge',
    labels: [],
    unit: 'routes',
    help: 'Routes learned from BGP peers that are to be in the kernel',
  },
  isthmus_bgp_refused_routes: {
    type: 'gauge',
    labels: ['reason'],
    unit: 'routes',
    help: 'Routes that were accepted from BGP peers and are not installed, by reason',
  },
  isthmus_bgp_refused_peers: {
    type: 'gauge',
    labels: [],
    unit: 'peers',
    help: 'BGP peers with whom there can be no session as they are configured',
  },
  isthmus_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    labels: ['certificate'],
    unit: 'seconds since 1970',
    help: 'When a certificate ends',
  },
  isthmus_sink_failing_rows: { type: 'gauge', labels: ['sink'], unit: 'rows', help: 'Rows that a sink could not write yet' },
  cilium_bpf_map_pressure: {
    type: 'gauge',
    labels: ['map_name'],
    unit: 'share',
    help: 'Rows that a BPF map is to have, of those that it may have; from 1 on it is full',
  },
  isthmus_table_rows: {
    type: 'gauge',
    labels: ['table'],
    unit: 'rows',
    help: 'Rows of each table; those of sink/* are what a sink could not write yet',
  },
  ...processMetrics('cilium_'),
  ...LOOP_METRICS,
});
