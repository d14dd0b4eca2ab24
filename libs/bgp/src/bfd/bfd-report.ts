import type { BfdState } from './bfd-machine.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { DropCounts } from './reception.ts';

/** What there is to know of a session. */
export interface BfdReport {
  /** As the wanting side named it. */
  readonly key: string;
  readonly local: string;
  readonly remote: string;
  readonly interface?: string;
  readonly multihop: boolean;
  readonly state: BfdState;
  /** What the peer said last; `down` while it was not heard for a detection time. */
  readonly remoteState: BfdState;
  /** Why this side is in its state. */
  readonly diagnostic: Diagnostic | 'reserved';
  /** Why the peer is in its state. */
  readonly remoteDiagnostic: Diagnostic | 'reserved';
  /** True from when a session that was up failed until it is up again: RFC 5882 §3.2. Not when it was ended administratively on either side. */
  readonly lost: boolean;
  /** Milliseconds since the state began. */
  readonly sinceMs: number;
  /** Whether the peer's C bit is set: its BFD outlives its control plane. */
  readonly remoteIndependent: boolean;
  readonly localDiscriminator: number;
  /** 0 while the peer was not heard. */
  readonly remoteDiscriminator: number;
  /** Milliseconds between two sent packets, before jitter; 0 when the peer wants none. */
  readonly transmitMs: number;
  /** Milliseconds of silence that end the session; 0 while the peer was not heard. */
  readonly detectionMs: number;
  readonly counters: BfdCounters;
  /** Why there is no socket for it; absent when there is one. */
  readonly error?: string;
}

/** Packets of a session since it is wanted. */
export interface BfdCounters {
  readonly received: number;
  readonly sent: number;
  /** Those that the machine refused to send. */
  readonly unsent: number;
  /** Dropped ones that could be told to be this session's. */
  readonly dropped: DropCounts;
  /** What the kernel dropped at the session's socket, which sessions of one local address share: wrong TTL, or it was full. */
  readonly droppedByKernel: number;
}
