import { fileURLToPath } from 'node:url';
import { DaemonProcess, until } from './daemon-process.ts';

const WITH_NODE = fileURLToPath(new URL('../../scripts/with-node', import.meta.url));

/** A program of this folder in a process of its own inside a namespace. */
export class OwnProcess<Options> {
  readonly #process: DaemonProcess;
  readonly #program: string;

  /** @param netns path of the namespace, or its name @param program name of the file */
  constructor(netns: string, program: string) {
    this.#process = new DaemonProcess(netns.replace(/.*\//, ''));
    this.#program = fileURLToPath(new URL(program, import.meta.url));
  }

  /** Starts it; again after {@link end} as well. */
  start(options: Options): void {
    const flags = ['--conditions=isthmus:source', '--disable-warning=ExperimentalWarning'];
    this.#process.start(WITH_NODE, [...flags, this.#program, JSON.stringify(options)]);
  }

  /** What it printed so far, the end of it. */
  get log(): string {
    return this.#process.log;
  }

  /** Waits until it has printed something so many times. */
  async says(text: string, times = 1): Promise<void> {
    await until(
      `"${text}" of our process`,
      () => this.log,
      (log) => log.split(text).length > times,
    );
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
