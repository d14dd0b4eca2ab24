import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { attachIngress } from './bpf/device-link.ts';
import { removeLink } from './bpf/link.ts';

/** A device that runs `from_pod`. Key of its table: the device's name. */
export interface AttachedDevice {
  readonly ifindex: number;
}

const PIN = /^link_pod_(.+)$/;

/** Keeps the pod program attached to the host side of every pod's veth; swaps it in place at a restart. */
export class PodProgramSink implements SinkTarget<AttachedDevice> {
  readonly #programFd: number;
  readonly #pinFolder: string;

  constructor(programFd: number, pinFolder: string) {
    this.#programFd = programFd;
    this.#pinFolder = pinFolder;
  }

  update(rows: readonly SinkRow<AttachedDevice>[]): SinkFailures {
    const failures = new Map<string, unknown>();
    for (const { key, row } of rows) {
      try {
        attachIngress({ programFd: this.#programFd, ifindex: row.ifindex, pin: this.#pin(key) });
      } catch (error) {
        failures.set(key, error);
      }
    }
    return failures;
  }

  delete(keys: readonly string[]): SinkFailures {
    for (const key of keys) removeLink(this.#pin(key));
    return new Map();
  }

  *entries(): Generator<FoundEntry[]> {
    const names = readdirSync(this.#pinFolder).flatMap((file) => PIN.exec(file)?.[1] ?? []);
    yield names.map((key) => ({ key, scope: LOCAL_SCOPE }));
  }

  #pin(device: string): string {
    return join(this.#pinFolder, `link_pod_${device}`);
  }
}
