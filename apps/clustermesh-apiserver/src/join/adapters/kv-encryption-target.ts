import type { Clock } from '@isthmus/core';
import { type Epoch, newTarget, presentTarget } from '@isthmus/crypto';
import type { KvStore } from '@isthmus/kvstore';
import { KvWireGuardTargets } from '@isthmus/mesh';
import type { WireGuardTargetRow } from '@isthmus/model';
import type { EncryptionTarget } from '../ports.ts';

/** Somebody else may raise it at the same time. */
const ATTEMPTS = 5;

/** The target in the cluster etcd, which the operator writes first. */
export class KvEncryptionTarget implements EncryptionTarget {
  readonly #targets: KvWireGuardTargets;
  readonly #clock: Pick<Clock, 'wall'>;

  constructor(kv: KvStore, cluster: string, clock: Pick<Clock, 'wall'>) {
    this.#targets = new KvWireGuardTargets(kv, cluster);
    this.#clock = clock;
  }

  async read(): Promise<Epoch | undefined> {
    const own = await this.#targets.read();
    return own && (await this.#present(own));
  }

  async meet(cluster: string, epoch: Epoch, by: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const own = await this.#targets.read();
      if (own === undefined || (await this.#present(own)) >= epoch) return;
      const next = newTarget(own, { target: epoch, by, reason: `meets ${cluster}` }, this.#clock.wall());
      if (await this.#targets.raise(own, next)) return;
    }
    throw new Error(`the target of keys is changed again and again, and cannot be raised to ${epoch}`);
  }

  /** Nodes may be further already. */
  async #present(own: WireGuardTargetRow): Promise<Epoch> {
    return presentTarget(own, new Map([...(await this.#targets.nodes())].map(([name, { epoch }]) => [name, epoch])));
  }
}
