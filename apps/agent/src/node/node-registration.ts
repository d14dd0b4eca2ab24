import { Backoff, type Clock, delay, type Random } from '@isthmus/core';
import { CILIUM_NODE, type CiliumNode, type ResourceStore } from '@isthmus/model';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';

/** What the node says of itself. */
export interface OwnNodeFacts {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly bootId: string;
}

/** What registering needs from outside. */
export interface RegistrationContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
}

const RETRY = { minMs: 250, maxMs: 15_000 };

/** Address types of a CiliumNode. */
const INTERNAL_IP = 'InternalIP';
const CILIUM_INTERNAL_IP = 'CiliumInternalIP';

/**
 * Registers the node and follows what the operator decides for it.
 * @param onPodCidrs called when the pod CIDRs are known, and again whenever they change
 */
export class NodeRegistration {
  readonly #resources: ResourceStore;
  readonly #own: OwnNodeFacts;
  readonly #onPodCidrs: (cidrs: readonly string[]) => void;

  constructor(resources: ResourceStore, own: OwnNodeFacts, onPodCidrs: (cidrs: readonly string[]) => void) {
    this.#resources = resources;
    this.#own = own;
    this.#onPodCidrs = onPodCidrs;
  }

  /**
   * Registers, then follows what is decided, until the signal aborts. Waits for the etcd for as long as it takes.
   * @param podHost the host's addresses among its pods, once they are known
   */
  async run(signal: AbortSignal, podHost: () => PodAddresses | undefined, context: RegistrationContext): Promise<void> {
    const watching = this.#watch(signal, () => void this.#keepRegistered(signal, podHost, context), context.onError);
    await Promise.all([watching, this.#keepRegistered(signal, podHost, context)]);
  }

  async #keepRegistered(signal: AbortSignal, podHost: () => PodAddresses | undefined, context: RegistrationContext): Promise<void> {
    const backoff = new Backoff(RETRY, context.random);
    while (!signal.aborted) {
      try {
        return await this.#register(podHost());
      } catch (error) {
        context.onError(error);
        await delay(context.clock, backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  /** Writes the node's addresses into its CiliumNode, which it creates if need be; leaves everything else of it alone. */
  async #register(podHost: PodAddresses | undefined): Promise<void> {
    const of = (type: string, ips: readonly string[]) => ips.filter((ip) => ip !== '').map((ip) => ({ type, ip }));
    const addresses = [
      ...of(INTERNAL_IP, [this.#own.ipv4, this.#own.ipv6]),
      ...(podHost ? of(CILIUM_INTERNAL_IP, [podHost.ipv4, podHost.ipv6]) : []),
    ];
    await this.#resources.update<CiliumNode>(CILIUM_NODE, this.#own.name, undefined, (current) => {
      if (current && JSON.stringify(current.spec.addresses) === JSON.stringify(addresses)) return undefined;
      const base = current ?? { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name: this.#own.name }, spec: {} };
      return { ...base, spec: { ...base.spec, addresses, bootid: this.#own.bootId } };
    });
  }

  #watch(signal: AbortSignal, onDecided: () => void, onError: (error: unknown) => void): Promise<void> {
    return this.#resources.watch<CiliumNode>(
      CILIUM_NODE,
      {
        onBatch: (changes) => {
          for (const { key, object } of changes) {
            const cidrs = key === this.#own.name ? (object?.spec.ipam?.podCIDRs ?? []) : [];
            if (cidrs.length === 0) continue;
            this.#onPodCidrs(cidrs);
            onDecided();
          }
        },
        onSynced: () => undefined,
        onDisconnected: onError,
      },
      signal,
    );
  }
}
