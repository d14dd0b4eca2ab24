import type { WireGuardDevice } from '@isthmus/crypto';
import type { EncryptionExemption, WireGuardRow } from '@isthmus/model';
import type { NodeCredential } from './key-exchange.ts';

/** What the datapath is told. */
export interface OpenEncryption {
  /** Numbers of the devices. */
  readonly ifindex: Readonly<Record<WireGuardDevice, number>>;
  /** What of the node's own packets is not encrypted. */
  readonly exempt: readonly EncryptionExemption[];
  /** The node's own packets, too. */
  readonly node: boolean;
}

/** What is not encrypted. */
export interface InTheClear {
  /** Of the node's own packets, by port. */
  readonly exempt: readonly EncryptionExemption[];
  /** All of the node's own packets. */
  readonly isOptedOut: boolean;
}

/** What it changes things by, once the datapath is there. */
export interface EncryptionHands {
  /** Says in the store what this node has. Returns at once: it is read back when it is there, and said again until then. */
  publish(row: WireGuardRow): void;
  /** Told when {@link AgentEncryption.publicKey} is another one. */
  onPublicKey(): void;
  /** Resolves when the datapath sends to an address as the tables of a revision say. */
  settled(address: string, revision: number, signal: AbortSignal): Promise<void>;
  /** Whether all other nodes are known. Before, nobody is taken for gone. */
  complete(): boolean;
  /** By what the node agrees on preshared keys; undefined: it has no certificate. */
  readonly credential: NodeCredential | undefined;
}
