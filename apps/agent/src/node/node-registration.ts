import { Backoff, type Clock, delay, Notifier, type Random } from '@isthmus/core';
import { CILIUM_NODE, type CiliumNode, type ResourceStore } from '@isthmus/model';
import type { PodAddresses } from '../endpoint/endpoint-ports.ts';

/** What the node says of itself. */
export interface OwnNodeFacts {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly bootId: string;
}

/** What registering works with. */
export interface NodeRegistrationOptions {
  readonly resources: ResourceStore;
  readonly own: OwnNodeFacts;
  /** The host's addresses among its pods, once they are known. */
  readonly podHost: () => PodAddresses | undefined;
  /** Called when the pod CIDRs are known, and again whenever they change. What it throws is reported, and it is called again. */
  readonly onPodCidrs: (cidrs: readonly string[]) => void;
  /** Called with the labels of the node whenever it is heard of. */
  readonly onLabels?: (labels: Readonly<Record<string, string>>) => void;
  /** Called with the reason while the operator cannot give pod CIDRs, and with undefined when it can again. */
  readonly onRefused: (reason: string | undefined) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
}

const RETRY = { minMs: 250, maxMs: 15_000 };

/** The label that selectors name single nodes by. */
const HOSTNAME_LABEL = 'kubernetes.io/hostname';
/** Address types of a CiliumNode. */
const INTERNAL_IP = 'InternalIP';
const CILIUM_INTERNAL_IP = 'CiliumInternalIP';
/** Condition under which the operator tells of a node's pod CIDRs. */
const POD_CIDRS_ALLOCATED = 'PodCIDRsAllocated';

/** Keeps the node registered, also when somebody removes or changes its record, and follows what the operator decides for it. */
export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  readonly #changed = new Notifier();
  #cidrs: readonly string[] = [];
  #pending = true;

  constructor(options: NodeRegistrationOptions) {
    this.#options = options;
  }

  /** Registers, then follows what is decided, until the signal aborts. Waits for the etcd for as long as it takes. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#watch(signal), this.#keepRegistered(signal)]);
  }

  async #keepRegistered(signal: AbortSignal): Promise<void> {
    const { clock, random, onError } = this.#options;
    const backoff = new Backoff(RETRY, random);
    while (!signal.aborted) {
      await this.#changed.until(() => this.#pending, signal).catch(() => undefined); // rejects only by abort
      if (signal.aborted) return;
      this.#pending = false;
      try {
        if (this.#cidrs.length > 0) this.#options.onPodCidrs(this.#cidrs);
        await this.#register();
        backoff.reset();
      } catch (error) {
        this.#pending = true;
        onError(error);
        await delay(clock, backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  /** Writes the node's addresses into its CiliumNode, which it creates if need be, and a label with its name; leaves everything else alone. */
  async #register(): Promise<void> {
    const { own, resources } = this.#options;
    const addresses = this.#addresses();
    await resources.update<CiliumNode>(CILIUM_NODE, own.name, undefined, (current) => {
      const base = current ?? { apiVersion: 'cilium.io/v2', kind: 'CiliumNode', metadata: { name: own.name }, spec: {} };
      const labels = base.metadata.labels ?? {};
      const same = base.spec.bootid === own.bootId && JSON.stringify(base.spec.addresses) === JSON.stringify(addresses);
      if (same && labels[HOSTNAME_LABEL] !== undefined) return undefined;
      const metadata = { ...base.metadata, labels: { [HOSTNAME_LABEL]: own.name, ...labels } };
      return { ...base, metadata, spec: { ...base.spec, addresses, bootid: own.bootId } };
    });
  }

  #addresses(): { type: string; ip: string }[] {
    const { own, podHost } = this.#options;
    const host = podHost();
    const of = (type: string, ips: readonly string[]) => ips.filter((ip) => ip !== '').map((ip) => ({ type, ip }));
    return [...of(INTERNAL_IP, [own.ipv4, own.ipv6]), ...(host ? of(CILIUM_INTERNAL_IP, [host.ipv4, host.ipv6]) : [])];
  }

  #watch(signal: AbortSignal): Promise<void> {
    const { resources, own, onError } = this.#options;
    return resources.watch<CiliumNode>(
      CILIUM_NODE,
      {
        onBatch: (changes) => {
          for (const { key, object } of changes) if (key === own.name) this.#heard(object);
        },
        onSynced: () => undefined,
        onDisconnected: onError,
        onInvalid: (key, error) => {
          if (key === own.name) onError(error);
        },
      },
      signal,
    );
  }

  /** A record without CIDRs takes none away: pods have addresses of them. */
  #heard(node: CiliumNode | undefined): void {
    const cidrs = node?.spec.ipam?.podCIDRs ?? [];
    if (cidrs.length > 0) this.#cidrs = cidrs;
    if (node) this.#options.onLabels?.(node.metadata.labels ?? {});
    this.#options.onRefused(refusalOf(node));
    this.#pending = true;
    this.#changed.notify();
  }
}

/** What the operator says of a node that it has no pod CIDRs for. */
function refusalOf(node: CiliumNode | undefined): string | undefined {
  const conditions = (node?.status as { conditions?: unknown } | undefined)?.conditions;
  const all = (Array.isArray(conditions) ? conditions : []) as Partial<Record<'type' | 'status' | 'reason' | 'message', unknown>>[];
  const refused = all.find(({ type, status }) => type === POD_CIDRS_ALLOCATED && status === 'False');
  return refused && `${refused.reason}: ${refused.message}`;
}
