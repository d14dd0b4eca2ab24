import { randomUUID } from 'node:crypto';
import { type Clock, type CodedError, LOG, type Logger, type Random } from '@isthmus/core';
import { type EtcdConfig, type EtcdConnectionEvent, EtcdKvStore, KvResources, readEtcdConfig } from '@isthmus/kvstore';
import type { Config, ResourceStore } from '@isthmus/model';

/** State of a connection, for status. */
export interface ConnectionState {
  connected: boolean;
  /** Why not, in words. */
  error?: string;
  /** The same with its code, and what to do about it. */
  problem?: ReturnType<CodedError['toJSON']>;
}

/** The agent's etcds. Connecting is their own business: both objects exist at once and work as soon as their etcd answers. */
export interface AgentConnections {
  readonly clusterKv: EtcdKvStore;
  readonly resources: ResourceStore;
  /** Undefined when the node is in no mesh. */
  readonly meshKv: EtcdKvStore | undefined;
  readonly meshEndpoints: readonly string[];
  readonly states: Readonly<Record<string, ConnectionState>>;
  /** How they are reached. */
  readonly configs: { cluster: EtcdConfig; mesh: EtcdConfig | undefined };
  close(): Promise<void>;
}

/** Opens both etcds. @throws CodedError KV_CONFIG for a file that cannot be used */
export async function openConnections(config: Config, clock: Clock, random: Random, log: Logger): Promise<AgentConnections> {
  const states: Record<string, ConnectionState> = {};
  const open = async (name: string, file: string): Promise<{ kv: EtcdKvStore; config: EtcdConfig }> => {
    const state: ConnectionState = { connected: false };
    states[name] = state;
    const etcd = await readEtcdConfig(file);
    const kv = new EtcdKvStore({
      config: etcd,
      clock,
      random,
      onConnection: (event) => note(name, state, event, log),
    });
    return { kv, config: etcd };
  };
  const cluster = await open('cluster etcd', config['etcd-config']);
  const mesh = config['mesh-etcd-config'] === '' ? undefined : await open('mesh etcd', config['mesh-etcd-config']);
  return {
    clusterKv: cluster.kv,
    resources: new KvResources({ kv: cluster.kv, clock, random, newUid: randomUUID }),
    meshKv: mesh?.kv,
    meshEndpoints: mesh?.config.endpoints ?? [],
    states,
    configs: { cluster: cluster.config, mesh: mesh?.config },
    close: async () => {
      await Promise.all([cluster.kv.close(), mesh?.kv.close()]);
    },
  };
}

/** Remembers how a connection is. The same failure again and again is one line of the log. */
function note(etcd: string, state: ConnectionState, event: EtcdConnectionEvent, log: Logger): void {
  state.connected = event.type === 'connected';
  if (event.type === 'connected') {
    delete state.error;
    delete state.problem;
    log.info({ etcd, [LOG.endpoint]: event.endpoint, version: event.version }, 'connected');
    return;
  }
  if (state.error !== event.error.message) log.warn({ etcd, [LOG.endpoint]: event.endpoint, [LOG.error]: event.error }, 'not connected');
  state.error = event.error.message;
  state.problem = event.error.toJSON();
}
