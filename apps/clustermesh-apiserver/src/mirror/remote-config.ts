import type { EtcdConfig } from '@isthmus/kvstore';

/** A remote cluster as it is configured. */
export interface RemoteConfig {
  readonly name: string;
  /** Changes when anything of it changes. */
  readonly digest: string;
  /** Number that the remote gave when it joined; 0: not known. */
  readonly id: number;
  /** Pod networks that it gave then; empty: not known. */
  readonly podCidrs: readonly string[];
  /** CAs of its certificates, PEM; empty: not known. Not part of `digest`: another one is no reason to connect anew. */
  readonly caBundle: string;
  /** How to reach its mesh etcd; undefined when the configuration cannot be used. */
  readonly etcd: EtcdConfig | undefined;
  /** Why it cannot. */
  readonly problem?: unknown;
}

/** Where the configured remote clusters come from. */
export interface RemoteConfigSource {
  /**
   * Tells the whole set of configured clusters, and again whenever it changes, until the signal aborts. While the set cannot be read nothing
   * is told: what cannot be read is not gone.
   */
  watch(onSet: (configs: readonly RemoteConfig[]) => void, signal: AbortSignal): Promise<void>;
}
