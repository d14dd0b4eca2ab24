import { CodedError } from '@isthmus/core';
import { BENCH_BGP } from '../bench.errors.ts';
import { cProgram } from '../c-program.ts';
import { NETNS } from './bgp-link.ts';
import { Child } from './child.ts';
import { INJECTOR, RECEIVER, SPEAKER } from './speaker/who.ts';

const SOURCES = ['load.c', 'workload.c', 'workload.h'].map((file) => new URL(file, import.meta.url).pathname);

/** What is announced, see `load.c`. */
export type Workload = 'full1m' | 'full100k' | 'pod100k';

/** All of the workload went to the speaker, and came out to the receiver. */
export interface StreamPhase {
  /** From the first UPDATE sent until the receiver held all, or nothing. */
  readonly seconds: number;
  readonly sentUpdates: number;
  readonly sentBytes: number;
  readonly updates: number;
  readonly bytes: number;
  /** Prefixes that the receiver had already, or had not when they were withdrawn. */
  readonly duplicates: number;
  /** Prefixes that nobody announced. */
  readonly unknown: number;
}

const STREAM_FIELDS = ['seconds', 'sentUpdates', 'sentBytes', 'updates', 'bytes', 'duplicates', 'unknown'] as const;

/** Both neighbours of the speaker under test, in a process of their own. */
export class Load {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts them; both sessions are up then. @throws CodedError BENCH_BGP */
  static async start(workload: Workload): Promise<Load> {
    const words = [await cProgram('bgp-load', SOURCES), workload, SPEAKER.address, INJECTOR.address, RECEIVER.address];
    const load = new Load(new Child('the load generator', NETNS.load, words));
    try {
      phaseOf(await load.#child.nextLine(), 'up');
      return load;
    } catch (error) {
      await load.stop();
      throw error;
    }
  }

  /** @throws CodedError BENCH_BGP when not everything got through */
  async stream(phase: 'announce' | 'withdraw'): Promise<StreamPhase> {
    this.#child.tell(phase);
    return streamPhase(await this.#child.nextLine(), phase);
  }

  /** Announces and withdraws one prefix so many times. @returns milliseconds until the receiver knew, of each step @throws CodedError BENCH_BGP */
  async flap(count: number): Promise<readonly number[]> {
    this.#child.tell(`flap ${count}`);
    const { milliseconds } = phaseOf(await this.#child.nextLine(), 'flap');
    return milliseconds as readonly number[];
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}

/** One line of the generator about a stream. @throws CodedError BENCH_BGP when it is about something else, or something is missing */
export function streamPhase(line: string, phase: 'announce' | 'withdraw'): StreamPhase {
  const told = phaseOf(line, phase);
  const missing = STREAM_FIELDS.filter((field) => typeof told[field] !== 'number');
  if (missing.length > 0) throw wrong(line, `without ${missing.join(', ')}`);
  return told as unknown as StreamPhase;
}

function phaseOf(line: string, phase: string): Record<string, unknown> {
  const told = JSON.parse(line) as Record<string, unknown>;
  if (told['phase'] !== phase) throw wrong(line, `instead of ${phase}`);
  return told;
}

function wrong(line: string, what: string): CodedError {
  return new CodedError(BENCH_BGP, `the load generator said ${line} ${what}`, { object: 'load' });
}
