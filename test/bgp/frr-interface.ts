import { existsSync, mkdirSync } from 'node:fs';
import { DaemonProcess, until } from './daemon-process.ts';
import { startFrr } from './frr-process.ts';

/** Its AS number. */
export const FRR_INTERFACE_AS = 65_105;

/**
 * FRR with a peer that is only an interface: bgpd, and the zebra that hears router advertisements there, sends them, and installs what bgpd
 * learns. The peer may have any AS number but its own.
 */
export class FrrInterface {
  readonly #bgpd: DaemonProcess;
  readonly #zebra: DaemonProcess;

  constructor(netns: string) {
    this.#bgpd = new DaemonProcess(netns);
    this.#zebra = new DaemonProcess(netns);
    mkdirSync(`${this.#bgpd.folder}/etc`);
    this.#bgpd.write('etc/vtysh.conf', 'username root nopassword\n');
  }

  async start(): Promise<void> {
    const socket = `${this.#zebra.folder}/zserv`;
    startFrr(this.#zebra, 'zebra', { config: this.#zebra.write('zebra.conf', ZEBRA), socket });
    await until(`zebra (${this.#zebra.log})`, () => existsSync(socket), Boolean);
    startFrr(this.#bgpd, 'bgpd', { config: this.#bgpd.write('bgpd.conf', BGPD), socket });
  }

  /** All that bgpd knows of a route, or that there is none. */
  route(prefix: string): Promise<string> {
    return this.#command(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix}`);
  }

  /** What it says of the session. */
  session(): Promise<string> {
    return this.#command('show bgp neighbors bgp0');
  }

  get log(): string {
    return this.#bgpd.log + this.#zebra.log;
  }

  async stop(): Promise<void> {
    await this.#bgpd.stop();
    await this.#zebra.stop();
  }

  #command(word: string): Promise<string> {
    const { folder } = this.#bgpd;
    return this.#bgpd.ask('usr/bin/vtysh', ['--config_dir', `${folder}/etc`, '--vty_socket', folder, '-d', 'bgpd', '-c', word]);
  }
}

/** The interval is what makes it answer soon; bgpd has zebra advertise anyway. */
const ZEBRA = `
interface bgp0
 no ipv6 nd suppress-ra
 ipv6 nd ra-interval msec 500
`;

const BGPD = `
router bgp ${FRR_INTERFACE_AS}
 bgp router-id 10.99.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 neighbor bgp0 interface remote-as external
 neighbor bgp0 timers connect 1
 neighbor bgp0 advertisement-interval 0
 address-family ipv4 unicast
  network 203.0.113.0/24
  neighbor bgp0 activate
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:2::/48
  neighbor bgp0 activate
 exit-address-family
`;
