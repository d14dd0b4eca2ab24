import { DaemonProcess } from './daemon-process.ts';
import { OUR_AS, OURS, THEIRS } from './link.ts';

/** How BIRD is told to meet the speaker. */
export interface BirdOptions {
  /** Which of its addresses the session uses; `ipv4` unless given. */
  readonly over?: 'ipv4' | 'ipv6';
  /** Lines inside `protocol bgp`, such as `password "x";`. */
  readonly lines?: readonly string[];
  /** Options of both channels, such as `add paths rx;`. */
  readonly channels?: string;
  /** Leaves out its routes of a family. */
  readonly without?: 'four' | 'six';
}

/** Its AS number: one of four octets. */
export const BIRD_AS = 4_200_000_002;

/** A BIRD 2 with two routes of each family, and one session with the speaker. It installs nothing in the kernel. */
export class Bird {
  readonly #process: DaemonProcess;
  readonly #control: string;

  constructor(netns: string) {
    this.#process = new DaemonProcess(netns);
    this.#control = `${this.#process.folder}/control`;
  }

  /** Starts it; again after {@link end} as well. */
  start(options: BirdOptions = {}): void {
    const path = this.#process.write('bird.conf', configuration(options));
    this.#process.start('usr/sbin/bird', ['-f', '-c', path, '-s', this.#control, '-P', `${this.#process.folder}/pid`]);
  }

  /** One command of birdc. */
  command(words: string): Promise<string> {
    return this.#process.ask('usr/sbin/birdc', ['-s', this.#control, ...words.split(' ')]);
  }

  /** All that it knows of a route, or that there is none. */
  route(prefix: string): Promise<string> {
    return this.command(`show route ${prefix} all`);
  }

  /** The end of its log. */
  get log(): string {
    return this.#process.log;
  }

  session(): Promise<string> {
    return this.command('show protocols all isthmus');
  }

  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return this.#process.end(signal);
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

function configuration({ over = 'ipv4', lines = [], channels = '', without }: BirdOptions): string {
  return `
log stderr all;
router id 10.99.0.2;
protocol device {}
protocol static four {
  ${without === 'four' ? 'disabled;' : ''}
  ipv4;
  route 203.0.113.0/24 blackhole { bgp_community.add((65002,7)); bgp_large_community.add((65002,1,2)); };
  route 198.51.100.0/25 blackhole;
}
protocol static six {
  ${without === 'six' ? 'disabled;' : ''}
  ipv6;
  route 2001:db8:2::/48 blackhole { bgp_community.add((65535,65281)); };
  route 2001:db8:3::/64 blackhole;
}
protocol bgp isthmus {
  local ${THEIRS[over]} as ${BIRD_AS};
  neighbor ${OURS[over]} as ${OUR_AS};
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; next hop address 10.99.0.2; ${channels} };
  ipv6 { import all; export where source = RTS_STATIC; next hop address fd99::2; ${channels} };
  ${lines.join('\n  ')}
}
`;
}
