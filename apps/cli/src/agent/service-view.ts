/** A row of the agent's table `frontends`, as far as it is shown. */
export interface FrontendRow {
  readonly vip: string;
  readonly port: number;
  readonly protocol: string;
  readonly namespace: string;
  readonly name: string;
  readonly global: boolean;
  readonly affinity: string;
  /** Keys `<protocol>/<ip>:<port>`, and the cluster id of each. */
  readonly backends: readonly string[];
  readonly backendClusters: readonly number[];
  /** Backends that get no new connections. */
  readonly idle: readonly string[];
}

/** A frontend with its backends by cluster. */
export interface ServiceView {
  readonly frontend: string;
  readonly service: string;
  readonly global: boolean;
  readonly affinity: string;
  /** Addresses of backends of new connections, by name of their cluster. */
  readonly backends: Readonly<Record<string, readonly string[]>>;
  readonly idle: readonly string[];
}

/** What `service list` shows of a frontend. */
export function serviceView(key: string, row: FrontendRow, clusterName: (id: number) => string): ServiceView {
  const backends: Record<string, string[]> = {};
  row.backends.forEach((backend, index) => {
    const cluster = clusterName(row.backendClusters[index] ?? 0);
    backends[cluster] = [...(backends[cluster] ?? []), addressOf(backend)];
  });
  const { global, affinity } = row;
  return { frontend: key, service: `${row.namespace}/${row.name}`, global, affinity, backends, idle: row.idle.map(addressOf) };
}

/** Lines of a frontend: one for each cluster that serves it, and one for what is idle. */
export function serviceLines(view: ServiceView): string[][] {
  const kind = view.global ? `global, affinity ${view.affinity}` : 'local';
  const groups = Object.entries(view.backends).map(([cluster, backends]) => [cluster, backends.join(' ')]);
  if (groups.length === 0) groups.push(['-', 'nobody serves']);
  if (view.idle.length > 0) groups.push(['(idle)', view.idle.join(' ')]);
  return groups.map((group, index) => (index === 0 ? [view.frontend, view.service, kind, ...group] : ['', '', '', ...group]));
}

/** The protocol of a backend is that of its frontend. */
function addressOf(backend: string): string {
  return backend.slice(backend.indexOf('/') + 1);
}
