import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isCoded } from '@isthmus/core';
import { deviceOf, type Epoch, UapiWireGuard, WgTool, type WireGuardDevice, type WireGuardPort } from '@isthmus/crypto';
import {
  deleteLink,
  ensureTun,
  ensureWireguard,
  getLink,
  type Link,
  NETLINK_UNSUPPORTED,
  NetlinkSocket,
  writeSysctl,
} from '@isthmus/datapath';
import type { RotationSight } from './rotation-watch.ts';
import { raiseDeviceBuffers, serveDevice } from './wireguard-go.ts';

/** Names of the devices. Existing tools look for one that is called as Cilium's. */
export const WIREGUARD_NAMES: Readonly<Record<WireGuardDevice, string>> = { even: 'isth_wg_even', odd: 'isth_wg_odd' };
const ALTNAMES: Readonly<Record<WireGuardDevice, readonly string[]>> = { even: ['cilium_wg0'], odd: [] };
/** What reading of a device fails with that is not there, or goes just then. */
const GONE = new Set(['ENOENT', 'EINVAL', 'ENODEV']);
const BOTH: readonly WireGuardDevice[] = ['even', 'odd'];
/** Packets that wait for a process: a burst must find room. */
const QUEUE_LENGTH = 10_000;

/** A node's two WireGuard devices: the kernel's, or TUN devices that wireguard-go serves. Both stay when the agent ends. */
export class WireGuardDevices {
  readonly #mtu: number;
  #implementation: 'kernel' | 'wireguard-go' = 'kernel';

  /** @param mtu of both */
  constructor(mtu: number) {
    this.#mtu = mtu;
  }

  /** Who does the work. */
  get implementation(): 'kernel' | 'wireguard-go' {
    return this.#implementation;
  }

  /** What they are set up through, once they are open: `wg`, or the daemons' sockets, which need nothing to be started. */
  get port(): WireGuardPort {
    return this.#implementation === 'kernel' ? new WgTool() : new UapiWireGuard();
  }

  /** Makes them, or takes over those that are there. @returns their numbers @throws CodedError WIREGUARD_UNAVAILABLE; NetlinkError */
  async open(): Promise<Readonly<Record<WireGuardDevice, number>>> {
    const links = NetlinkSocket.using('route', undefined, (socket) => this.#make(socket));
    for (const { name } of Object.values(links)) writeSysctl(undefined, `ipv4/conf/${name}/rp_filter`, 0);
    if (this.#implementation === 'wireguard-go') for (const { name } of Object.values(links)) await this.#serve(name);
    return { even: links.even.index, odd: links.odd.index };
  }

  /** Sees to it that a device works: the process that serves it may have ended. */
  async ensure(device: WireGuardDevice): Promise<void> {
    if (this.#implementation === 'wireguard-go') await this.#serve(WIREGUARD_NAMES[device]);
  }

  /** For after a device got its port. */
  opened(device: WireGuardDevice): void {
    if (this.#implementation === 'wireguard-go') raiseDeviceBuffers(WIREGUARD_NAMES[device]);
  }

  /** What is to be seen of changes of keys on the devices. @param epochs that the node has keys of */
  sights(epochs: Iterable<Epoch>): RotationSight['devices'] {
    const live = [...epochs];
    const sight = (device: WireGuardDevice): RotationSight['devices'][WireGuardDevice] => {
      const sent = sentBy(WIREGUARD_NAMES[device]);
      return sent === undefined ? undefined : { epoch: live.find((epoch) => deviceOf(epoch) === device), sent };
    };
    return { even: sight('even'), odd: sight('odd') };
  }

  async #serve(name: string): Promise<void> {
    await serveDevice(name);
    // It has its own idea of the MTU.
    NetlinkSocket.using('route', undefined, (socket) => ensureTun(socket, this.#settings(name)));
  }

  #make(socket: NetlinkSocket): Record<WireGuardDevice, Link> {
    const [even, odd] = BOTH.map((device) => this.#makeOne(socket, device)) as [Link, Link];
    return { even, odd };
  }

  #makeOne(socket: NetlinkSocket, device: WireGuardDevice): Link {
    const settings = { ...this.#settings(WIREGUARD_NAMES[device]), altnames: ALTNAMES[device] };
    if (getLink(socket, settings.name)?.kind !== 'tun') {
      try {
        return ensureWireguard(socket, settings);
      } catch (error) {
        if (!isCoded(error, NETLINK_UNSUPPORTED)) throw error;
      }
    }
    this.#implementation = 'wireguard-go';
    return ensureTun(socket, settings);
  }

  #settings(name: string) {
    return { name, mtu: this.#mtu, txQueueLength: QUEUE_LENGTH };
  }
}

/** Packets that a device has sent since it was made; undefined when it is not there. */
function sentBy(name: string): number | undefined {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/statistics/tx_packets`, 'latin1'));
  } catch (error) {
    if (GONE.has(String((error as NodeJS.ErrnoException).code))) return undefined;
    throw error;
  }
}

/** Removes what an agent that encrypted has left: the devices, with which daemons end, and the keys. */
export function removeWireGuard(socket: NetlinkSocket, stateDir: string): void {
  for (const name of Object.values(WIREGUARD_NAMES)) {
    const kind = getLink(socket, name)?.kind;
    if (kind === 'tun' || kind === 'wireguard') deleteLink(socket, name);
  }
  rmSync(wireguardFolder(stateDir), { recursive: true, force: true });
}

/** Where the private keys are. */
export function wireguardFolder(stateDir: string): string {
  return join(stateDir, 'wireguard');
}
