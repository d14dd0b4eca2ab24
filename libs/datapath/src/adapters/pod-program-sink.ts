import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { attachClsact, detachClsact } from './bpf/clsact.ts';
import { attachIngress } from './bpf/device-link.ts';
import { removeLink } from './bpf/link.ts';

/** A device that runs `from_pod`. Key of its table: the device's name. */
export interface AttachedDevice {
  readonly ifindex: number;
}

/** What the sink works with. */
export interface PodProgramSinkOptions {
  readonly programFd: number;
  /** Folder on a bpffs mount for the pins of TCX links. */
  readonly pinFolder: string;
  /**
   * Attach by TCX links where the kernel has them. By the clsact qdisc otherwise: that is done in a fraction of a millisecond, while a TCX link
   * waits for an RCU grace period under the lock of all devices (docs/adr/0011-pod-devices-by-clsact.md).
   */
  readonly tcx: boolean;
}

const PIN = /^link_pod_(.+)$/;

/**
 * Keeps the pod program attached to the host side of every pod's veth; swaps it in place at a restart. What was attached the other way makes
 * room only when the program runs in its new place.
 */
export class PodProgramSink implements SinkTarget<AttachedDevice> {
  readonly #with: PodProgramSinkOptions;

  constructor(options: PodProgramSinkOptions) {
    this.#with = options;
  }

  update(rows: readonly SinkRow<AttachedDevice>[]): SinkFailures {
    const failures = new Map<string, unknown>();
    for (const { key, row } of rows) {
      try {
        this.#attach(key, row.ifindex);
      } catch (error) {
        failures.set(key, error);
      }
    }
    return failures;
  }

  /** A program at the clsact qdisc goes with its device, which is gone before its row. */
  delete(keys: readonly string[]): SinkFailures {
    for (const key of keys) removeLink(this.#pin(key));
    return new Map();
  }

  *entries(): Generator<FoundEntry[]> {
    const names = readdirSync(this.#with.pinFolder).flatMap((file) => PIN.exec(file)?.[1] ?? []);
    yield names.map((key) => ({ key, scope: LOCAL_SCOPE }));
  }

  #attach(device: string, ifindex: number): void {
    const { programFd, tcx } = this.#with;
    const pin = this.#pin(device);
    if (!tcx) {
      attachClsact(ifindex, programFd, 'ingress');
      removeLink(pin);
    } else if (attachIngress({ programFd, ifindex, pin }) !== 'clsact') detachClsact(ifindex, 'ingress');
  }

  #pin(device: string): string {
    return join(this.#with.pinFolder, `link_pod_${device}`);
  }
}
