import { fileURLToPath } from 'node:url';
import { DaemonProcess, until } from './daemon-process.ts';
import type { SpeakerProcessOptions } from './speaker-process.ts';

const WITH_NODE = fileURLToPath(new URL('../../scripts/with-node', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./speaker-process.ts', import.meta.url));

/** The library's speaker in a process of its own inside a namespace, with one peer. */
export class OwnProcess {
  readonly #process: DaemonProcess;

  /** @param netns path of the namespace, or its name */
  constructor(netns: string) {
    this.#process = new DaemonProcess(netns.replace(/.*\//, ''));
  }

  start(options: SpeakerProcessOptions): void {
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
