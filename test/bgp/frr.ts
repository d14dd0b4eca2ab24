import { mkdirSync } from 'node:fs';
import { DaemonProcess } from './daemon-process.ts';
import { OUR_AS, OURS } from './link.ts';

/** How FRR is told to meet the speaker. */
export interface FrrOptions {
  /** Lines for the neighbour, each behind `neighbor <address> `. */
  readonly neighbour?: readonly string[];
  /** Lines inside `router bgp`. */
  readonly lines?: readonly string[];
}

/** FRR's bgpd with one route of each family, without zebra: it installs nothing in the kernel, and believes every next hop. */
export class Frr {
  readonly asn = 65104;
  readonly #process: DaemonProcess;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
    mkdirSync(`${this.#process.folder}/etc`);
    this.#process.write('etc/vtysh.conf', 'username root nopassword\n');
  }

  /** Starts it; again after {@link end} as well. */
  start(options: FrrOptions = {}): void {
    const { folder } = this.#process;
    const path = this.#process.write('bgpd.conf', configuration(this.asn, options));
    const files = ['-f', path, '-i', `${folder}/pid`, '-z', `${folder}/zebra`, '--vty_socket', folder];
    // -S: it stays who it is, whoever its package would have made.
    this.#process.start('usr/lib/frr/bgpd', [...files, '-Z', '-n', '-S', '-u', 'root', '-g', 'root', '-P', '0', '--log', 'stdout']);
  }

  get log(): string {
    return this.#process.log;
  }

  /** One command of vtysh. @returns what it printed */
  command(...words: string[]): Promise<string> {
    const { folder } = this.#process;
    const commands = words.flatMap((word) => ['-c', word]);
    return this.#process.ask('usr/bin/vtysh', ['--config_dir', `${folder}/etc`, '--vty_socket', folder, '-d', 'bgpd', ...commands]);
  }

  /** All that it knows of a route, or that there is none. */
  route(prefix: string): Promise<string> {
    return this.command(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix}`);
  }

  /** What it says of the session. */
  session(): Promise<string> {
    return this.command(`show bgp neighbors ${OURS.ipv4}`);
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

function configuration(asn: number, { neighbour = [], lines = [] }: FrrOptions): string {
  const of = (line: string): string => `neighbor ${OURS.ipv4} ${line}`;
  return `
router bgp ${asn}
 bgp router-id 10.99.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 ${lines.join('\n ')}
 ${of(`remote-as ${OUR_AS}`)}
 ${of('timers connect 1')}
 ${of('advertisement-interval 0')}
 ${of('disable-connected-check')}
 ${neighbour.map(of).join('\n ')}
 address-family ipv4 unicast
  network 203.0.113.0/24
  ${of('activate')}
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:2::/48
  ${of('activate')}
 exit-address-family
`;
}
