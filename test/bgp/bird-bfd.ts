import { DaemonProcess } from './daemon-process.ts';
import { OURS, THEIRS } from './link.ts';

/** BIRD 2 with nothing but BFD: both families, single hop, 50 ms x 3. */
export class BirdBfd {
  readonly #process: DaemonProcess;
  readonly #control: string;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
    this.#control = `${this.#process.folder}/control`;
  }

  /** Starts it; again after {@link end} as well. */
  start(intervalMs = 50): void {
    const path = this.#process.write('bird.conf', configuration(intervalMs));
    this.#process.start('usr/sbin/bird', ['-f', '-c', path, '-s', this.#control, '-P', `${this.#process.folder}/pid`]);
  }

  /** Takes another interval without a restart. */
  async reconfigure(intervalMs: number): Promise<void> {
    this.#process.write('bird.conf', configuration(intervalMs));
    await this.#command('configure');
  }

  /** The row of a session: state, since, interval, timeout. */
  async session(address: string): Promise<string> {
    const rows = (await this.#command('show bfd sessions')).split('\n');
    return rows.find((row) => row.startsWith(`${address} `)) ?? rows.join('\n');
  }

  get log(): string {
    return this.#process.log;
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  #command(words: string): Promise<string> {
    return this.#process.ask('usr/sbin/birdc', ['-s', this.#control, ...words.split(' ')]);
  }
}

function configuration(intervalMs: number): string {
  return `
log stderr all;
router id 10.99.0.2;
protocol device {}
protocol bfd {
  debug { states, packets };
  interface "bgp0" { min rx interval ${intervalMs} ms; min tx interval ${intervalMs} ms; multiplier 3; };
  neighbor ${OURS.ipv4} dev "bgp0" local ${THEIRS.ipv4};
  neighbor ${OURS.ipv6} dev "bgp0" local ${THEIRS.ipv6};
  neighbor fe80::a dev "bgp0" local fe80::b;
}
`;
}
