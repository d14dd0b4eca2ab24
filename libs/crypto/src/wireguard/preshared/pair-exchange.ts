import type { Epoch } from '../epoch.ts';

/** What a node that has encapsulated a secret tells the other one of the pair. */
export interface PairRequest {
  readonly epoch: Epoch;
  /** WireGuard's public keys of the two in that epoch, base64. */
  readonly callerKey: string;
  readonly calleeKey: string;
  /** ML-KEM-768, for the callee's key of the epoch. */
  readonly ciphertext: Uint8Array;
}

/** Carries a request to another node, which is sure to be the one that it goes to, and to know who asks: agents' certificates, both ways. */
export interface PairExchange {
  /**
   * @param peer `<cluster>/<node>`
   * @returns the callee's confirmation, see `pskConfirmation`
   * @throws CodedError PAIR_EXCHANGE, or what the callee refuses it with
   */
  ask(peer: string, request: PairRequest): Promise<Uint8Array>;
}
