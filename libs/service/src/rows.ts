import type { Protocol, ServiceAffinity } from '@isthmus/model';

/** One address and port that clients connect to. Key: `<protocol>/<vip>:<port>`, an IPv6 address in brackets. */
export interface FrontendRow {
  /** Canonical text. */
  readonly vip: string;
  readonly port: number;
  readonly protocol: Protocol;
  readonly namespace: string;
  readonly name: string;
  readonly global: boolean;
  readonly affinity: ServiceAffinity;
  /** Keys of the backends of new connections, sorted; none when nobody serves. */
  readonly backends: readonly string[];
  /** Cluster id of each of them, in the same order. */
  readonly backendClusters: readonly number[];
  /** Keys of backends that exist but get no new connections: other clusters' by affinity, terminating ones. Sorted. */
  readonly idle: readonly string[];
}

/** One address and port that serves at least one frontend. Key: `<protocol>/<ip>:<port>`. */
export interface BackendAddressRow {
  /** Canonical text. */
  readonly ip: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Cluster that it came from; the lowest when frontends disagree. */
  readonly clusterId: number;
}

/** A frontend that needs a number for the way back. Key: the frontend's. */
export interface RevnatRow {
  readonly vip: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/**
 * Remote backends that the kernel still held when the process started, of clusters that have not been listed since. Key: the frontend's.
 * Whoever writes it takes a cluster out once that cluster is synced.
 */
export interface AdoptedBackendsRow {
  readonly backends: readonly { readonly key: string; readonly clusterId: number }[];
}
