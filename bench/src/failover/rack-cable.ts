import { NetlinkSocket, setLink } from '@isthmus/datapath';
import { cutLink, type Lab, type NodePlace, type RackLink, runCommand, type Undo } from '@isthmus/lab';

/** When something was done, as `performance.now`: not before the one, not after the other. */
export interface Instant {
  readonly before: number;
  readonly after: number;
}

/** Whatever it is. */
const EVERYTHING = ['protocol', 'all', 'u32', 'match', 'u32', '0', '0'];
const PREFERENCE = '1';

/**
 * One of the two cables of a node, in which all packets of both directions make a detour: through a device at the ToR that hands them back. While
 * that is down they vanish and neither end is told, as with the fault `silence-link` of the lab. To take it down is one system call of this
 * process, so that the instant is known.
 */
export class RackCable {
  /** Its device in the node. */
  readonly device: string;
  readonly #lab: Lab;
  readonly #node: NodePlace;
  readonly #port: string;
  readonly #detour: string;
  readonly #netns: string;
  readonly #socket: NetlinkSocket;

  private constructor(lab: Lab, node: NodePlace, { device, port }: RackLink, netns: string) {
    this.#lab = lab;
    this.#node = node;
    this.device = device;
    this.#port = port;
    this.#detour = `detour-${port}`;
    this.#netns = netns;
    this.#socket = NetlinkSocket.open('route', `/run/netns/${netns}`);
  }

  /** Leads the packets of a cable on the detour. @param netns of its ToR */
  static async open(lab: Lab, node: NodePlace, link: RackLink, netns: string): Promise<RackCable> {
    const cable = new RackCable(lab, node, link, netns);
    await cable.#lead();
    return cable;
  }

  /** From now on everything on it vanishes. */
  silence(): Instant {
    return this.#set(this.#detour, false);
  }

  /** Takes {@link silence} back. */
  speak(): void {
    this.#set(this.#detour, true);
  }

  /** Pulls it out at the ToR: both ends see that the carrier is gone. */
  pullOut(): Instant {
    return this.#set(this.#port, false);
  }

  /** How to take {@link pullOut} back: the lab's fault knows what a ToR forgets with a cable, and finds it pulled out already. */
  plugIn(): Promise<Undo> {
    return cutLink(this.#node.id, this.device).inject(this.#lab);
  }

  close(): void {
    this.#socket.close();
  }

  #set(device: string, up: boolean): Instant {
    const before = performance.now();
    setLink(this.#socket, device, { up });
    return { before, after: performance.now() };
  }

  async #lead(): Promise<void> {
    const into = ['action', 'mirred', 'egress', 'redirect', 'dev', this.#detour];
    await runCommand(['ip', '-n', this.#netns, 'link', 'add', this.#detour, 'type', 'ifb']);
    this.speak();
    for (const direction of ['ingress', 'egress']) {
      const filter = ['dev', this.#port, direction, 'pref', PREFERENCE];
      await runCommand(['tc', '-n', this.#netns, 'filter', 'add', ...filter, ...EVERYTHING, ...into]);
    }
  }
}
