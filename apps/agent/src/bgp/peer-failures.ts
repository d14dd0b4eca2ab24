import type { BfdMonitor, BfdReport, BfdSessionConfig } from '@isthmus/bgp';
import type { SinkRow, SinkTarget } from '@isthmus/core';
import type { BgpPeerRow } from './bgp-rows.ts';

/** What a BFD session with a peer needs to know of the node. */
export type LocalAddress = (remote: string) => { readonly address: string; readonly device: string } | undefined;

/** What {@link PeerFailures} works with. */
export interface PeerFailuresOptions {
  /** The BFD process, whose sessions outlive the agent. */
  readonly monitor: Pick<BfdMonitor, 'want'>;
  /** The node's own address on the link to a peer; undefined while there is none. */
  readonly localAddress: LocalAddress;
  /** A peer cannot be reached any more. */
  readonly onFailed: (peer: BgpPeerRow, reason: string) => void;
}

/** Watches peers by BFD where that is configured: makes the sessions of the BFD process equal to the table of peers. */
export class PeerFailures implements SinkTarget<BgpPeerRow> {
  readonly #options: PeerFailuresOptions;
  readonly #peers = new Map<string, BgpPeerRow>();
  /** Whether each session has failed and is not up again, as far as it was told. */
  readonly #lost = new Map<string, boolean>();
  #begun = false;
  #said = '';

  constructor(options: PeerFailuresOptions) {
    this.#options = options;
  }

  update(rows: readonly SinkRow<BgpPeerRow>[]): undefined {
    for (const { key, row } of rows) this.#peers.set(key, row);
    this.begin();
  }

  delete(keys: readonly string[]): undefined {
    for (const key of keys) {
      this.#peers.delete(key);
      this.#lost.delete(key);
    }
    this.say();
  }

  /** All peers are known, be it that there are none: from now on what is said is all. */
  begin(): void {
    this.#begun = true;
    this.say();
  }

  /** Says which sessions are wanted, where that is not what was said last: own addresses may have changed. */
  say(): void {
    if (!this.#begun) return;
    const sessions = [...this.#peers].flatMap(([key, peer]) => this.#session(key, peer) ?? []);
    const text = JSON.stringify(sessions);
    if (text === this.#said) return;
    this.#said = text;
    this.#options.monitor.want(sessions);
  }

  /**
   * Takes what the BFD process tells. A failure counts when it happens, and once: while it lasts a session with the peer may come up all the same,
   * over which BFD itself begins anew.
   */
  report({ key, lost, diagnostic }: BfdReport): void {
    const wasLost = this.#lost.get(key) ?? lost;
    this.#lost.set(key, lost);
    const peer = this.#peers.get(key);
    if (lost && !wasLost && peer !== undefined) this.#options.onFailed(peer, `BFD: ${diagnostic}`);
  }

  /** A peer some hops away is spoken to from the address that its session has; without one there is nothing to go by. */
  #session(key: string, { address, bfd, connection }: BgpPeerRow): BfdSessionConfig | undefined {
    if (bfd === undefined) return undefined;
    const [remote = '', zone] = address.split('%');
    const timing = { desiredMinTxMs: bfd.transmitMs, requiredMinRxMs: bfd.receiveMs, multiplier: bfd.multiplier };
    if (connection.multihop !== undefined) {
      const { localAddress } = connection;
      return localAddress === undefined ? undefined : { key, local: localAddress, remote, multihop: true, ...timing };
    }
    const local = this.#options.localAddress(address);
    if (local === undefined) return undefined;
    return { key, local: local.address, remote, interface: zone ?? local.device, multihop: false, ...timing };
  }
}
