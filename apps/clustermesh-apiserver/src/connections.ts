import { type Clock, LOG, type Random } from '@isthmus/core';
import type { ClusterPkiPaths } from '@isthmus/crypto';
import { type EtcdConfig, type EtcdConnectionEvent, EtcdKvStore, readEtcdConfig } from '@isthmus/kvstore';
import type { Log } from './log.ts';

/** How one connection is. */
export interface ConnectionState {
  connected: boolean;
  error?: string;
}

/** Opens etcd connections and remembers how they are. */
export class Connections {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #states = new Map<string, ConnectionState>();
  readonly #opened: EtcdKvStore[] = [];

  constructor(clock: Clock, random: Random, log: Log) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
  }

  /** Own etcds that do not answer now, each with the reason. */
  missing(): string[] {
    return [...this.#states].flatMap(([name, { connected, error }]) =>
      connected ? [] : [error === undefined ? name : `${name} (${error})`],
    );
  }

  /** A connection that is always in use, and closed by {@link close}. */
  open(name: string, config: EtcdConfig): EtcdKvStore {
    const state: ConnectionState = { connected: false };
    this.#states.set(name, state);
    return this.#keep(this.#connect(name, config, state));
  }

  /** The same for a connection that is used now and then, and says nothing about whether all is well. */
  openSeldom(name: string, config: EtcdConfig): EtcdKvStore {
    return this.#keep(this.#connect(name, config, { connected: false }));
  }

  /** A connection to a remote cluster, which its user closes. */
  openRemote(cluster: string, config: EtcdConfig): EtcdKvStore {
    return this.#connect(`mesh etcd of ${cluster}`, config, { connected: false });
  }

  /** Closes what {@link open} opened. */
  close(): void {
    for (const kv of this.#opened) kv.close();
  }

  #keep(kv: EtcdKvStore): EtcdKvStore {
    this.#opened.push(kv);
    return kv;
  }

  #connect(name: string, config: EtcdConfig, state: ConnectionState): EtcdKvStore {
    const onConnection = (event: EtcdConnectionEvent): void => {
      state.connected = event.type === 'connected';
      const fields = { etcd: name, [LOG.endpoint]: event.endpoint };
      if (event.type === 'connected') {
        delete state.error;
        this.#log.info({ ...fields, version: event.version }, 'etcd connected');
        return;
      }
      // The same failure again and again is one line.
      if (state.error !== event.error.message) this.#log.warn({ ...fields, [LOG.error]: event.error }, 'etcd does not answer');
      state.error = event.error.message;
    };
    return new EtcdKvStore({ config, clock: this.#clock, random: this.#random, onConnection });
  }
}

/** The etcds of a cluster as its apiserver uses them. */
export interface OwnEtcds {
  readonly cluster: EtcdKvStore;
  /** As `root`, for users and roles only; undefined where the etcd asks for no certificates, and so has no users. */
  readonly clusterRoot: EtcdKvStore | undefined;
  readonly mesh: EtcdKvStore;
  /** The mesh etcd knows its clients. */
  readonly meshHasUsers: boolean;
  /** How they are reached. */
  readonly configs: { cluster: EtcdConfig; mesh: EtcdConfig };
}

/** Opens the cluster's own etcds. @throws CodedError KV_CONFIG naming the file and the field */
export async function openOwnEtcds(
  connections: Connections,
  files: { cluster: string; mesh: string },
  pki: ClusterPkiPaths,
): Promise<OwnEtcds> {
  const [cluster, mesh] = [await readEtcdConfig(files.cluster), await readEtcdConfig(files.mesh)];
  const root = { ...cluster, certFile: pki.clients.root.cert, keyFile: pki.clients.root.key };
  return {
    cluster: connections.open('cluster etcd', cluster),
    clusterRoot: cluster.certFile === undefined ? undefined : connections.openSeldom('cluster etcd, as root', root),
    mesh: connections.open('mesh etcd', mesh),
    meshHasUsers: mesh.certFile !== undefined,
    configs: { cluster, mesh },
  };
}
