import { type Clock, type CodedError, type Random, systemClock, systemRandom } from '@isthmus/core';
import type { EtcdConfig } from '../../etcd-config.ts';

/** A step in a connection's life, for logs and metrics. */
export type EtcdConnectionEvent =
  | { type: 'connected'; endpoint: string; clusterId: string; version: string }
  | { type: 'failed' | 'lost'; endpoint: string; error: CodedError };

/** How to connect to an etcd. Everything but `config` has a default. */
export interface EtcdOptions {
  config: EtcdConfig;
  /** Only this cluster's id (decimal) is accepted. Without it the first one seen is; a change is told once and then accepted. */
  clusterId?: string;
  /** How long a call may take unless it says itself, connecting included, in milliseconds; 5,000. */
  timeoutMs?: number;
  /** How long one endpoint gets to accept a connection and answer, in milliseconds; 3,000. */
  connectTimeoutMs?: number;
  /** Idle time in milliseconds after which a connection is probed; 6,000. etcd hangs up on clients that probe more often than each 5 s. */
  keepAliveMs?: number;
  /** How long a probe may stay unanswered before the connection counts as dead, in milliseconds; 3,000. */
  keepAliveTimeoutMs?: number;
  clock?: Clock;
  random?: Random;
  /** Told of every step; must not throw. */
  onConnection?(event: EtcdConnectionEvent): void;
}

/** {@link EtcdOptions} with the defaults in. */
export type EtcdSettings = Required<Omit<EtcdOptions, 'clusterId'>> & { clusterId: string | undefined };

/** Fills the defaults in. */
export function etcdSettings(options: EtcdOptions): EtcdSettings {
  return {
    timeoutMs: 5_000,
    connectTimeoutMs: 3_000,
    keepAliveMs: 6_000,
    keepAliveTimeoutMs: 3_000,
    clock: systemClock,
    random: systemRandom,
    onConnection: () => undefined,
    clusterId: undefined,
    ...options,
  };
}
