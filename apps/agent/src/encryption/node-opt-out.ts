import { matchesSelector, type NodeRow, parseLabelSelector } from '@isthmus/model';

/** What is kept of it, so that a node that starts again need not ask. */
export interface OptOutState {
  /** The selector that it was found by. */
  readonly selector: string;
  readonly isOptedOut: boolean;
}

/**
 * Whether the node's own packets are left in the clear although nodes' packets are encrypted: the labels of its CiliumNode say so. Decided once at the
 * start; a label that comes later counts from the next one.
 */
export class NodeOptOut {
  readonly #selector: string;
  #state: OptOutState | undefined;
  #inUse: boolean | undefined;

  /** @param selector of nodes that opt out; empty: none do. @param kept from an earlier run */
  constructor(selector: string, kept: OptOutState | undefined) {
    this.#selector = selector;
    if (selector === '') this.#inUse = false;
    else if (kept?.selector === selector) [this.#state, this.#inUse] = [kept, kept.isOptedOut];
  }

  /** Undefined while nobody has told the node's labels. */
  get isOptedOut(): boolean | undefined {
    return this.#inUse;
  }

  /** To be kept; undefined: nothing. */
  get state(): OptOutState | undefined {
    return this.#state;
  }

  /** @returns `kept`: there is something new to keep; `late`: it counts from the next start */
  hear(labels: Readonly<Record<string, string>>): 'same' | 'kept' | 'late' {
    const selector = this.#selector === '' ? undefined : parseLabelSelector(this.#selector);
    if (selector === undefined) return 'same';
    const isOptedOut = matchesSelector(selector, labels);
    if (this.#state?.isOptedOut === isOptedOut) return 'same';
    this.#state = { selector: this.#selector, isOptedOut };
    this.#inUse ??= isOptedOut;
    return this.#inUse === isOptedOut ? 'kept' : 'late';
  }
}

/** Whether another node has opted out: it says that it has keys, but none for what nodes send themselves. As Cilium writes it. */
export function hasOptedOut({ encryptionKey, wireguardPublicKey }: NodeRow): boolean {
  return encryptionKey === 0 && wireguardPublicKey !== '';
}
