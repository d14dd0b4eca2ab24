import { DaemonProcess } from './daemon-process.ts';
import { OUR_AS, OURS, THEIRS } from './link.ts';

/** GoBGP's daemon with one route of each family. It installs nothing in the kernel. */
export class GoBgp {
  readonly asn = 65103;
  readonly #process: DaemonProcess;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
  }

  start(): void {
    const path = this.#process.write('gobgpd.toml', configuration(this.asn));
    this.#process.start('usr/bin/gobgpd', ['-f', path, '--api-hosts', '127.0.0.1:50051', '--pprof-disable']);
  }

  get log(): string {
    return this.#process.log;
  }

  /** Its routes come over its interface; it answers only when it is up. @returns whether it took it */
  async announce(prefix: string): Promise<boolean> {
    const six = prefix.includes(':');
    return (await this.#ask('global', 'rib', 'add', '-a', six ? 'ipv6' : 'ipv4', prefix, 'nexthop', THEIRS[six ? 'ipv6' : 'ipv4'])) === '';
  }

  route(prefix: string): Promise<string> {
    return this.#ask('global', 'rib', '-a', prefix.includes(':') ? 'ipv6' : 'ipv4', prefix);
  }

  async withdraw(prefix: string): Promise<void> {
    await this.#ask('global', 'rib', 'del', '-a', prefix.includes(':') ? 'ipv6' : 'ipv4', prefix);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  #ask(...words: string[]): Promise<string> {
    return this.#process.ask('usr/bin/gobgp', words);
  }
}

function configuration(asn: number): string {
  return `
[global.config]
  as = ${asn}
  router-id = "10.99.0.2"
[[neighbors]]
  [neighbors.config]
    neighbor-address = "${OURS.ipv4}"
    peer-as = ${OUR_AS}
    auth-password = "right"
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.ttl-security.config]
    enabled = true
    ttl-min = 255
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
`;
}
