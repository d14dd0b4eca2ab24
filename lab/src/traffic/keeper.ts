import type { Lab } from '../lab.ts';
import type { LiveCommand } from '../process/live-command.ts';
import type { Place } from '../topology/plan.ts';
import { parseLines, trafficCommand } from './traffic-program.ts';

/** Something new that a {@link Keeper} met. */
export interface KeeperEvent {
  /** Milliseconds of the clock that {@link monotonicMs} reads. */
  readonly ms: number;
  /** Milliseconds since the last answer, whoever gave it. */
  readonly sinceAnswerMs: number;
  /** Who answers from now on. */
  readonly server?: string;
  /** Errno's name: the socket failed, and the client connects again. */
  readonly error?: string;
  /** The client waits for an answer, on the same socket. */
  readonly silence?: string;
}

/** Milliseconds of CLOCK_MONOTONIC, which all processes of the machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A client that stays with one connected socket for as long as it works, and asks it again and again who answers. */
export class Keeper {
  readonly target: string;
  readonly #command: LiveCommand;

  constructor(lab: Lab, from: Place, target: string) {
    this.target = target;
    this.#command = lab.startCommand(from, trafficCommand(['keep', '--every-ms', '10', '--timeout-ms', '200', target]));
  }

  /** Everything new so far, in order. */
  events(): KeeperEvent[] {
    return parseLines<{ ns: number; sinceAnswerNs: number; server?: string; error?: string; silence?: string }>(
      this.#command.lines().join('\n'),
    ).map(({ ns, sinceAnswerNs, ...rest }) => ({ ms: ns / 1e6, sinceAnswerMs: sinceAnswerNs / 1e6, ...rest }));
  }

  /** Who answered last. */
  server(): string | undefined {
    return this.events().findLast((event) => event.server !== undefined)?.server;
  }

  async end(): Promise<void> {
    await this.#command.end();
  }

  kill(): void {
    this.#command.kill();
  }
}
