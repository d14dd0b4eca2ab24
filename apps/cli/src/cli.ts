import type { Clock } from '@isthmus/core';
import type { JoinApi, JoinClientOptions } from '@isthmus/crypto';
import type { WireGuardTargets } from '@isthmus/mesh';
import type { ResourceStore } from '@isthmus/model';
import type { AgentApi } from './agent/agent-api.ts';
import type { ExitStatus } from './exit-status.ts';
import type { Host } from './preflight/host.ts';
import type { Archive } from './sysdump/archive.ts';
import type { Machine } from './sysdump/machine.ts';

/** Where the command writes to and reads from. */
export interface Terminal {
  /** To standard output, as it is. */
  out(text: string): void;
  /** To standard error, as it is. */
  err(text: string): void;
  /** All of standard input. */
  readInput(): Promise<string>;
  /** Standard output takes colours. */
  readonly colour: boolean;
}

/** A resource store that must be closed. */
export interface OpenResources {
  readonly store: ResourceStore;
  close(): void;
}

/** A cluster's target that must be closed. */
export interface OpenTargets {
  /** Undefined: the cluster has none. */
  readonly targets: WireGuardTargets | undefined;
  /** As whom it is opened; empty where the etcd knows no users. */
  readonly user: string;
  close(): void;
}

/** What the command reaches outside of its process. */
export interface Connections {
  joinApi(options: JoinClientOptions): JoinApi;
  /** @param etcdFile etcd client file. @throws CodedError KV_CONFIG */
  resources(etcdFile: string): Promise<OpenResources>;
  /** @param etcdFile etcd client file. @throws CodedError KV_*, WIREGUARD_TARGET */
  targets(etcdFile: string): Promise<OpenTargets>;
  /** @param socket path of the agent's unix socket */
  agent(socket: string): AgentApi;
  /** This machine, for `preflight`. */
  host(): Promise<Host>;
  /** This machine, for `sysdump`. */
  machine(): Promise<Machine>;
  /** An archive to write into; see its constructor. @throws Error when it cannot be made */
  archive(path: string, folder: string, mtime: Date): Promise<Archive>;
}

/** Everything that a command works with. */
export interface Cli {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly connect: Connections;
  /** Aborts when the person presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** What the process ends with when no error is thrown. */
  exitStatus: ExitStatus;
}
