import type { FrontendRow } from './rows.ts';

/** A way from a frontend to a backend that is there no more: sockets that go it are closed, so that clients ask again. */
export interface RemovedBackend {
  readonly frontend: string;
  readonly backend: string;
}

/**
 * Ways that went with a change of a frontend (undefined: it is not there). Only backends that exist no more count: one that terminates,
 * or that affinity prefers no longer, keeps the connections that it has.
 */
export function removedBackends(frontend: string, before: FrontendRow | undefined, now: FrontendRow | undefined): RemovedBackend[] {
  const there = new Set(now ? existing(now) : []);
  return (before ? existing(before) : []).filter((backend) => !there.has(backend)).map((backend) => ({ frontend, backend }));
}

/** Every backend of a frontend that may have connections. */
export function existing(row: FrontendRow): string[] {
  return [...row.backends, ...row.idle];
}
