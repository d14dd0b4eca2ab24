import type { MachineDefinition } from '@isthmus/core';

/** Where the connection to a remote cluster stands. */
export type RemoteState =
  | 'waiting' // configured, not started
  | 'connecting' // its etcd has not answered yet
  | 'fetching-config' // connected; it has published no configuration
  | 'validating' // the configuration is being checked
  | 'failed' // the configuration is refused; what is known is kept, nothing is read
  | 'syncing' // records are read; not every kind is complete
  | 'ready' // every kind is complete and current
  | 'degraded' // complete once; now disconnected, stale, or without configuration or canary. Deletions are held back
  | 'draining' // its id changed; the records under the old id are dropped
  | 'removing' // removed from configuration; its records are dropped
  | 'removed' // nothing is left of it
  | 'stopped'; // this process stops; everything is left as it is

/** What moves a {@link RemoteState}. */
export type RemoteEvent =
  | 'start'
  | 'connected'
  | 'disconnected'
  | 'config'
  | 'config-gone'
  | 'accepted'
  | 'refused'
  | 'id-changed'
  | 'trouble'
  | 'recovered'
  | 'synced'
  | 'resync'
  | 'drained'
  | 'remove'
  | 'stop';

/** Events that come from outside at any time: every state handles or ignores each. The driver derives the others from the state. */
export const REMOTE_OUTER_EVENTS: readonly RemoteEvent[] = ['start', 'remove', 'stop', 'drained'];

const ends = { remove: 'removing', stop: 'stopped' } as const;
const running: readonly RemoteEvent[] = ['start', 'drained'];

/** The state machine of a remote cluster (docs/wire.md, "Following a remote cluster"). */
export const REMOTE_CLUSTER_MACHINE: MachineDefinition<RemoteState, RemoteEvent> = {
  name: 'remote-cluster',
  initial: 'waiting',
  transitions: {
    waiting: { start: 'connecting', ...ends },
    connecting: { connected: 'fetching-config', ...ends },
    'fetching-config': { config: 'validating', disconnected: 'connecting', ...ends },
    validating: { accepted: 'syncing', refused: 'failed', 'id-changed': 'draining', 'config-gone': 'fetching-config', ...ends },
    failed: { config: 'validating', 'config-gone': 'fetching-config', ...ends },
    syncing: { config: 'validating', trouble: 'degraded', synced: 'ready', ...ends },
    ready: { config: 'validating', trouble: 'degraded', resync: 'syncing', ...ends },
    degraded: { config: 'validating', recovered: 'syncing', ...ends },
    draining: { drained: 'validating', ...ends },
    removing: { drained: 'removed', stop: 'stopped' },
    removed: { start: 'connecting', stop: 'stopped' },
    stopped: {},
  },
  ignores: {
    waiting: ['drained'],
    connecting: running,
    'fetching-config': running,
    validating: running,
    failed: running,
    syncing: running,
    ready: running,
    degraded: running,
    draining: ['start'],
    removing: ['start', 'remove'],
    removed: ['remove', 'drained'],
    stopped: ['start', 'remove', 'stop', 'drained'],
  },
};
