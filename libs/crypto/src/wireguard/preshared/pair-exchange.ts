import type { Epoch } from '../epoch.ts';

/** With what a node asks the other one of the pair to make a secret for it. */
export interface PairRequest {
  readonly epoch: Epoch;
  /** WireGuard's public keys of the two in that epoch, base64. */
  readonly callerKey: string;
  readonly calleeKey: string;
  /** The caller's ML-KEM-768 public key of the epoch, whose hash stands in its record. */
  readonly kemKey: Uint8Array;
}

/** What it is answered: the same each time that it asks with the same keys. */
export interface PairAnswer {
  /** ML-KEM-768, for the caller's key. */
  readonly ciphertext: Uint8Array;
  /** That the callee has the preshared key which follows, see `pskConfirmation`. */
  readonly confirmation: Uint8Array;
}

/** Carries a request to another node, which is sure to be the one that it goes to, and to know who asks: agents' certificates, both ways. */
export interface PairExchange {
  /**
   * @param peer `<cluster>/<node>`
   * @throws CodedError PAIR_EXCHANGE, or what the callee refuses it with
   */
  ask(peer: string, request: PairRequest): Promise<PairAnswer>;
}
