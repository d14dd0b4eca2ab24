import type { BfdStatus } from './bfd-protocol.ts';
import type { BfdReport } from './bfd-report.ts';
import type { BfdSessionConfig } from './bfd-settings.ts';

/** What a client hears of the BFD process. */
export interface BfdListener {
  /** State, peer's state, `lost` or `error` of a session is another one, or is heard for the first time. */
  readonly onState: (report: BfdReport) => void;
  /** The connection to the process came or went; while there is none, known states stay. */
  readonly onConnected?: (connected: boolean, error?: Error) => void;
  /** A wanted session that the process refused. */
  readonly onRefused?: (key: string, error: string) => void;
}

/** Sessions with peers that outlive who wants them. */
export interface BfdMonitor {
  readonly connected: boolean;
  start(): void;
  /** Says the whole list of wanted sessions; kept, and said again after each reconnection. Before the first call nothing is changed. */
  want(sessions: readonly BfdSessionConfig[]): void;
  /** Last known report of each session, by key. */
  reports(): ReadonlyMap<string, BfdReport>;
  /** Last known status of the process; undefined before the first connection. */
  status(): BfdStatus | undefined;
  /** Asks for a fresh status, which brings counters; answered through {@link reports} and {@link status}. */
  refresh(): void;
  /** Closes the connection; the sessions stay. */
  stop(): void;
}
