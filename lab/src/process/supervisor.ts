import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '@isthmus/core';
import { LAB_COMMAND, LAB_NO_SUCH } from '../lab.errors.ts';
import { waitUntil } from '../machine/wait-until.ts';
import type { Place } from '../topology/plan.ts';
import { enterPlace, LAB_VARIABLE } from './enter-place.ts';
import { isAlive, type ProcessRecord, ProcessRecords } from './process-record.ts';
import { startTime } from './process-stat.ts';

const LOG_TAIL_LINES = 8;

/** A process to keep running after the lab's own command has ended. */
export interface ProcessSpec {
  /** `east/etcd`, `east/n1/agent`. */
  readonly id: string;
  readonly place: Place;
  readonly argv: readonly string[];
  /** A process of the mesh itself: it gets the environment of those ({@link SupervisorOptions.ownEnvironment}). */
  readonly isOurs?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Whose processes these are. */
export interface SupervisorOptions {
  readonly lab: string;
  /** Folder of logs. */
  readonly logs: string;
  /** Folder of records. */
  readonly records: string;
  /** Environment of the mesh's own processes, beside what each is given. */
  readonly ownEnvironment?: Readonly<Record<string, string>>;
}

/** Starts and stops the lab's processes. They outlive the command that started them; their records let a later command find them. */
export class Supervisor {
  readonly #lab: string;
  readonly #logs: string;
  readonly #records: ProcessRecords;
  readonly #ownEnvironment: readonly string[];

  constructor(options: SupervisorOptions) {
    this.#lab = options.lab;
    this.#logs = options.logs;
    this.#records = new ProcessRecords(options.records);
    this.#ownEnvironment = Object.entries(options.ownEnvironment ?? {}).map(([name, value]) => `${name}=${value}`);
  }

  /** Every process that was started, dead ones included. */
  list(): (ProcessRecord & { alive: boolean })[] {
    return this.#records.list().map((record) => ({ ...record, alive: isAlive(record) }));
  }

  /**
   * The record of one process.
   * @throws CodedError LAB_NO_SUCH
   */
  get(id: string): ProcessRecord {
    const record = this.#records.get(id);
    if (record) return record;
    const known = this.#records.list().map((one) => one.id);
    throw new CodedError(LAB_NO_SUCH, `there is no process ${id}; there are ${known.join(', ') || 'none'}`, { object: id });
  }

  isAlive(id: string): boolean {
    const record = this.#records.get(id);
    return record !== undefined && isAlive(record);
  }

  /** Starts a process; does nothing when it runs. Its output is appended to its log. */
  start(spec: ProcessSpec): ProcessRecord {
    const running = this.#records.get(spec.id);
    if (running && isAlive(running)) return running;
    // In the command line, so that its record has it.
    const argv = spec.isOurs && this.#ownEnvironment.length > 0 ? ['env', ...this.#ownEnvironment, ...spec.argv] : spec.argv;
    const log = join(this.#logs, `${spec.id.replaceAll('/', '.')}.log`);
    const pid = this.#spawn({ ...spec, argv }, log);
    const started = startTime(pid);
    if (started === undefined) throw new CodedError(LAB_COMMAND, `${spec.id} ended at once: ${tail(log)}`, { object: spec.id });
    const record = { id: spec.id, place: spec.place.id, pid, startTime: started, argv, log };
    this.#records.write(record);
    return record;
  }

  /** Sends a signal to exactly the process that was started; an ended one gets none. */
  signal(id: string, signal: NodeJS.Signals): void {
    const record = this.get(id);
    if (isAlive(record)) process.kill(record.pid, signal);
  }

  /** Sends a signal and waits until the process is gone. */
  async stop(id: string, signal: NodeJS.Signals = 'SIGTERM', timeoutMs = 10_000): Promise<void> {
    const record = this.get(id);
    this.signal(id, signal);
    await waitUntil(() => !isAlive(record), { what: `${id} to end after ${signal}`, timeoutMs, everyMs: 5 });
  }

  /**
   * Waits for a process to be ready, and stops waiting when it has ended.
   * @throws CodedError LAB_TIMEOUT, or LAB_COMMAND with the end of the log
   */
  async waitReady(id: string, isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    const record = this.get(id);
    const look = async (): Promise<boolean> => {
      if (!isAlive(record)) throw new CodedError(LAB_COMMAND, `${id} ended before it was ready: ${tail(record.log)}`, { object: id });
      return isReady();
    };
    await waitUntil(look, { what: `${id} to be ready`, timeoutMs, onTimeout: () => tail(record.log) });
  }

  #spawn(spec: ProcessSpec, log: string): number {
    mkdirSync(this.#logs, { recursive: true });
    const file = openSync(log, 'a');
    try {
      const [program = '', ...args] = enterPlace(spec.place, spec.argv);
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', file, file],
        env: { ...process.env, ...spec.env, [LAB_VARIABLE]: this.#lab },
      });
      child.on('error', () => undefined); // Told below: a process that could not be started has no id.
      child.unref();
      if (child.pid === undefined)
        throw new CodedError(LAB_COMMAND, `cannot start ${spec.id}: ${program} does not run`, { object: spec.id });
      return child.pid;
    } finally {
      closeSync(file);
    }
  }
}

function tail(log: string): string {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n') || 'its log is empty';
}
