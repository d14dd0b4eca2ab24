import type { Clock } from '@isthmus/core';
import type { CertificateFacts } from '@isthmus/crypto';

/** What a node or a remote cluster showed and said when it last called. */
export interface CheckIn {
  kind: 'node' | 'remote';
  name: string;
  certificate: CertificateFacts;
  /** Pins of the CAs that it trusts for this cluster. */
  trusts: readonly string[];
  /** Wall time in milliseconds since 1970. */
  at: number;
}

/** Who has called since this process began, with what. All call every few minutes, so that nothing need be kept on disk. */
export class CheckIns {
  readonly #clock: Clock;
  readonly #last = new Map<string, CheckIn>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(checkIn: Omit<CheckIn, 'at'>): void {
    this.#last.set(`${checkIn.kind}/${checkIn.name}`, { ...checkIn, at: this.#clock.wall() });
  }

  /** The last call of one of them; undefined when there was none. */
  last(kind: CheckIn['kind'], name: string): CheckIn | undefined {
    return this.#last.get(`${kind}/${name}`);
  }

  /** The last call of each node, by name. */
  nodes(): CheckIn[] {
    return [...this.#last.values()].filter(({ kind }) => kind === 'node').sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
