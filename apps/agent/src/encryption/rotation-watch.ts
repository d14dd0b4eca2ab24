import type { Epoch, WireGuardDevice } from '@isthmus/crypto';

/** What is seen of the node's keys at a look. */
export interface RotationSight {
  /** The epoch that the mesh is to be at. */
  readonly target: Epoch;
  /** The epoch of the keys on each device, and how many packets it has sent; undefined where there is no device. */
  readonly devices: Readonly<Record<WireGuardDevice, { readonly epoch: Epoch | undefined; readonly sent: number } | undefined>>;
  /** Something is still to be done: a peer is not sent to by the target's keys, or older ones are there. */
  readonly isMoving: boolean;
}

/** What has been seen of changes of keys since the agent began. */
export interface RotationFigures {
  /** What the last one took, from when the node heard of it until it had no older keys; undefined before the first. Seconds. */
  readonly lastSeconds: number | undefined;
  /** Packets that were sent by older keys than the target's. */
  readonly oldEpochPackets: number;
}

/** Watches changes of keys from look to look. */
export class RotationWatch {
  #target: Epoch = 0;
  /** When one was heard of that is not over; monotonic, ms. */
  #began: number | undefined;
  #lastSeconds: number | undefined;
  #oldEpochPackets = 0;
  readonly #sent = new Map<WireGuardDevice, number>();

  get figures(): RotationFigures {
    return { lastSeconds: this.#lastSeconds, oldEpochPackets: this.#oldEpochPackets };
  }

  /** @param now monotonic, ms */
  look(sight: RotationSight, now: number): void {
    this.#count(sight);
    // Of one that was under way before the agent began nobody knows when it did.
    if (sight.target > this.#target && this.#target > 0) this.#began ??= now;
    this.#target = Math.max(this.#target, sight.target);
    if (sight.isMoving || this.#began === undefined) return;
    this.#lastSeconds = (now - this.#began) / 1000;
    this.#began = undefined;
  }

  /** A device that is made anew counts from zero. */
  #count({ target, devices }: RotationSight): void {
    for (const name of ['even', 'odd'] as const) {
      const device = devices[name];
      const before = this.#sent.get(name);
      if (device === undefined) this.#sent.delete(name);
      else this.#sent.set(name, device.sent);
      if (device?.epoch !== undefined && before !== undefined && device.epoch < target)
        this.#oldEpochPackets += Math.max(0, device.sent - before);
    }
  }
}
