import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { DaemonProcess, TOOLCHAIN, until } from './daemon-process.ts';
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
    this.#run(this.#zebra, 'zebra', this.#zebra.write('zebra.conf', ''), []);
    // bfdd that finds no zebra waits ten seconds before it looks again.
    await until(`zebra (${this.#zebra.log})`, () => existsSync(this.#socket), Boolean);
    this.#run(this.#bfdd, 'bfdd', this.#bfdd.write('bfdd.conf', CONFIGURATION), ['--bfdctl', `${folder}/control`]);
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

  /** These two insist on a group that only their package makes: they get a list of groups of their own, in their own mount namespace. */
  #run(daemon: DaemonProcess, name: string, config: string, more: readonly string[]): void {
    const groups = daemon.write('group', `${readFileSync('/etc/group', 'utf8')}frrvty:x:61999:root\n`);
    const files = ['-f', config, '-i', `${daemon.folder}/pid`, '-z', this.#socket, '--vty_socket', daemon.folder];
    const words = [`${TOOLCHAIN}usr/lib/frr/${name}`, ...files, '-u', 'root', '-g', 'root', '-P', '0', '--log', 'stdout', ...more];
    daemon.start('/bin/sh', ['-c', 'mount --bind "$0" /etc/group && exec "$@"', groups, ...words]);
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
