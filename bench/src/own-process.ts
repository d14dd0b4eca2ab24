import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What every Node process here is started with. */
const FLAGS = ['--conditions=isthmus:source', '--expose-gc'];
const MAX_OUTPUT = 64 * 1024 * 1024;

/** Programs that measure in a process of their own, where nothing else is done; they end with the benchmark. */
export class OwnProcesses {
  readonly #ending = new AbortController();

  /** Runs a program to its end. @param program path of its file @param flags of Node @returns what it printed, which is JSON */
  async run<T>(program: string, words: readonly (string | number)[], flags: readonly string[] = []): Promise<T> {
    const argv = [...FLAGS, ...flags, program, ...words.map(String)];
    const options = { signal: this.#ending.signal, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT } as const;
    const { stdout } = await promisify(execFile)(process.execPath, argv, options);
    return JSON.parse(stdout) as T;
  }

  /** Ends those that run. */
  end(): void {
    this.#ending.abort();
  }
}
