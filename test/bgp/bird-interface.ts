import { DaemonProcess } from './daemon-process.ts';
import { OUR_AS } from './link.ts';

/** Its AS number. */
export const BIRD_INTERFACE_AS = 65_106;

/**
 * BIRD with peers that are only an interface: whoever connects there from a link-local address. It advertises itself as a router, and installs
 * what it learns.
 */
export class BirdInterface {
  readonly #process: DaemonProcess;
  readonly #control: string;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
    this.#control = `${this.#process.folder}/control`;
  }

  start(): void {
    const path = this.#process.write('bird.conf', CONFIGURATION);
    this.#process.start('usr/sbin/bird', ['-f', '-c', path, '-s', this.#control, '-P', `${this.#process.folder}/pid`]);
  }

  /** All that it knows of a route, or that there is none. */
  route(prefix: string): Promise<string> {
    return this.#process.ask('usr/sbin/birdc', ['-s', this.#control, 'show', 'route', prefix, 'all']);
  }

  get log(): string {
    return this.#process.log;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

const CONFIGURATION = `
log stderr all;
router id 10.99.0.2;
protocol device {}
protocol radv {
  interface "bgp0" { min ra interval 3; max ra interval 4; default lifetime 0; };
}
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel { ipv6 { import none; export where source = RTS_BGP; }; }
protocol static { ipv4; route 203.0.113.0/24 blackhole; }
protocol static { ipv6; route 2001:db8:2::/48 blackhole; }
protocol bgp isthmus {
  local as ${BIRD_INTERFACE_AS};
  neighbor range fe80::/10 as ${OUR_AS};
  interface "bgp0";
  graceful restart on;
  ipv4 { import all; export where source = RTS_STATIC; extended next hop; };
  ipv6 { import all; export where source = RTS_STATIC; };
}
`;
