import { existsSync, mkdirSync } from 'node:fs';
import { DaemonProcess, until } from './daemon-process.ts';
import { startFrr } from './frr-process.ts';
import { OURS, THEIRS } from './link.ts';

/** FRR's bfdd and the zebra that tells it of interfaces: one single hop over IPv4, one multihop session over IPv6, 50 ms x 3. */
export class FrrBfd {
  readonly #bfdd: DaemonProcess;
  readonly #zebra: DaemonProcess;

  constructor(netns: string) {
    this.#bfdd = new DaemonProcess(netns);
    this.#zebra = new DaemonProcess(netns);
    mkdirSync(`${this.#bfdd.folder}/etc`);
    this.#bfdd.write('etc/vtysh.conf', 'username root nopassword\n');
  }

  async start(): Promise<void> {
    const { folder } = this.#bfdd;
    startFrr(this.#zebra, 'zebra', { config: this.#zebra.write('zebra.conf', ''), socket: this.#socket });
    // bfdd that finds no zebra waits ten seconds before it looks again.
    await until(`zebra (${this.#zebra.log})`, () => existsSync(this.#socket), Boolean);
    const config = this.#bfdd.write('bfdd.conf', CONFIGURATION);
    startFrr(this.#bfdd, 'bfdd', { config, socket: this.#socket, more: ['--bfdctl', `${folder}/control`] });
  }

  /** One command of vtysh, or several. @returns what it printed */
  command(...words: string[]): Promise<string> {
    const { folder } = this.#bfdd;
    const commands = words.flatMap((word) => ['-c', word]);
    return this.#bfdd.ask('usr/bin/vtysh', ['--config_dir', `${folder}/etc`, '--vty_socket', folder, '-d', 'bfdd', ...commands]);
  }

  /** What it says of a session. */
  async peer(address: string): Promise<string> {
    const [, ...peers] = (await this.command('show bfd peers')).split('\tpeer ');
    return peers.find((text) => text.startsWith(`${address} `)) ?? `no peer ${address} among ${peers.length}`;
  }

  /** Ends a session, or wants it again, as its operator does. */
  async shutDown(address: string, down: boolean): Promise<void> {
    const peer = `peer ${address} local-address ${THEIRS.ipv4} interface bgp0`;
    await this.command('configure terminal', 'bfd', peer, down ? 'shutdown' : 'no shutdown');
  }

  get #socket(): string {
    return `${this.#zebra.folder}/zserv`;
  }

  get log(): string {
    return this.#bfdd.log;
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#bfdd.end(signal);
  }

  async stop(): Promise<void> {
    await this.#bfdd.stop();
    await this.#zebra.stop();
  }
}

const CONFIGURATION = `
bfd
 peer ${OURS.ipv4} local-address ${THEIRS.ipv4} interface bgp0
  transmit-interval 50
  receive-interval 50
 peer ${OURS.ipv6} multihop local-address ${THEIRS.ipv6}
  transmit-interval 50
  receive-interval 50
  minimum-ttl 254
`;
