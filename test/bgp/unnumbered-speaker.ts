import { fileURLToPath } from 'node:url';
import { DaemonProcess, until } from './daemon-process.ts';
import type { UnnumberedOptions } from './unnumbered-process.ts';

const WITH_NODE = fileURLToPath(new URL('../../scripts/with-node', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./unnumbered-process.ts', import.meta.url));

/** The library's speaker in a process inside a namespace, with one peer behind an interface. */
export class UnnumberedSpeaker {
  readonly #process: DaemonProcess;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
  }

  start(options: UnnumberedOptions): void {
    const flags = ['--conditions=isthmus:source', '--disable-warning=ExperimentalWarning'];
    this.#process.start(WITH_NODE, [...flags, PROGRAM, JSON.stringify(options)]);
  }

  /** What it printed so far, the end of it. */
  get log(): string {
    return this.#process.log;
  }

  /** Waits until it has printed something. */
  async says(text: string): Promise<void> {
    await until(
      `the speaker's "${text}"`,
      () => this.log,
      (log) => log.includes(text),
    );
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
