import { DaemonProcess } from './daemon-process.ts';
import { OUR_AS, OURS } from './link.ts';

/** FRR's bgpd with one route of each family. Without zebra: it installs nothing in the kernel. */
export class Frr {
  readonly asn = 65102;
  readonly #process: DaemonProcess;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
  }

  start(): void {
    const { folder } = this.#process;
    const path = this.#process.write('bgpd.conf', configuration(this.asn));
    const files = ['-i', `${folder}/pid`, '-z', `${folder}/zserv`, '--vty_socket', folder];
    this.#process.start('usr/lib/frr/bgpd', ['-f', path, ...files, '-Z', '-n', '-u', 'root', '-g', 'root', '--log', 'stdout']);
  }

  get log(): string {
    return this.#process.log;
  }

  route(prefix: string): Promise<string> {
    return this.#vtysh(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix}`);
  }

  async withdraw(prefix: string): Promise<void> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    await this.#vtysh('configure terminal', `router bgp ${this.asn}`, `address-family ${family} unicast`, `no network ${prefix}`);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }

  #vtysh(...commands: string[]): Promise<string> {
    return this.#process.ask('usr/bin/vtysh', ['--vty_socket', this.#process.folder, ...commands.flatMap((command) => ['-c', command])]);
  }
}

function configuration(asn: number): string {
  return `
router bgp ${asn}
 bgp router-id 10.99.0.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor ${OURS.ipv4} remote-as ${OUR_AS}
 neighbor ${OURS.ipv4} timers connect 1
 neighbor ${OURS.ipv4} password right
 neighbor ${OURS.ipv4} ttl-security hops 1
 address-family ipv4 unicast
  network 203.0.113.0/24
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:2::/48
  neighbor ${OURS.ipv4} activate
 exit-address-family
`;
}
