import type {
  WireGuardDeviceSettings,
  WireGuardDeviceState,
  WireGuardKeepalive,
  WireGuardPeer,
  WireGuardPort,
} from '../wireguard/wireguard-port.ts';
import { UapiWireGuard } from './uapi-wireguard.ts';
import { WgTool } from './wg-tool.ts';

/** The WireGuard devices of this machine, each by what is best: a daemon's by its socket, the kernel's by `wg`. */
export class LocalWireGuard implements WireGuardPort {
  readonly #daemons: UapiWireGuard;
  readonly #kernel: WireGuardPort;

  constructor(daemons = new UapiWireGuard(), kernel: WireGuardPort = new WgTool()) {
    this.#daemons = daemons;
    this.#kernel = kernel;
  }

  /** A socket may be what a daemon left that was killed; `wg` removes it then. */
  async show(device: string): Promise<WireGuardDeviceState | undefined> {
    const served = this.#daemons.has(device) ? await this.#daemons.show(device) : undefined;
    return served ?? (await this.#kernel.show(device));
  }

  setUp(device: string, settings: WireGuardDeviceSettings): Promise<void> {
    return this.#of(device).setUp(device, settings);
  }

  putPeers(device: string, peers: readonly WireGuardPeer[]): Promise<void> {
    return this.#of(device).putPeers(device, peers);
  }

  setKeepalive(device: string, peers: readonly WireGuardKeepalive[]): Promise<void> {
    return this.#of(device).setKeepalive(device, peers);
  }

  removePeers(device: string, publicKeys: readonly string[]): Promise<void> {
    return this.#of(device).removePeers(device, publicKeys);
  }

  clear(device: string): Promise<void> {
    return this.#of(device).clear(device);
  }

  #of(device: string): WireGuardPort {
    return this.#daemons.has(device) ? this.#daemons : this.#kernel;
  }
}
