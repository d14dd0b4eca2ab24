import type { WireGuardDeviceState, WireGuardKeepalive, WireGuardPeer, WireGuardPeerState, WireGuardPort } from '@isthmus/crypto';

/** A peer as the device has it. */
interface MemoryPeer extends WireGuardPeerState {
  keepaliveSeconds: number;
  latestHandshake: number;
  allowedIps: readonly string[];
}

interface Device {
  publicKey: string | undefined;
  listenPort: number;
  mark: number;
  readonly peers: Map<string, MemoryPeer>;
}

/** What a node's devices are given besides what {@link WireGuardPort} says. */
export interface MemoryWireGuardOptions {
  /** The public key of what is in a key file. */
  publicKeyIn(file: string): string | undefined;
  /** Somebody begins handshakes now. */
  begins(device: string, publicKeys: readonly string[]): void;
}

/** WireGuard devices that exist only in memory. Who hands packets on makes the handshakes. */
export class MemoryWireGuard implements WireGuardPort {
  readonly #options: MemoryWireGuardOptions;
  readonly #devices = new Map<string, Device>();

  constructor(options: MemoryWireGuardOptions) {
    this.#options = options;
  }

  show(device: string): Promise<WireGuardDeviceState | undefined> {
    const found = this.#devices.get(device);
    if (found === undefined) return Promise.resolve(undefined);
    const { publicKey, listenPort, mark, peers } = found;
    return Promise.resolve({ publicKey, listenPort, mark, peers: [...peers.values()] });
  }

  setUp(device: string, { privateKeyFile, listenPort, mark }: Parameters<WireGuardPort['setUp']>[1]): Promise<void> {
    const peers = this.#devices.get(device)?.peers ?? new Map();
    this.#devices.set(device, { publicKey: this.#options.publicKeyIn(privateKeyFile), listenPort, mark, peers });
    return Promise.resolve();
  }

  putPeers(device: string, peers: readonly WireGuardPeer[]): Promise<void> {
    const has = this.#devices.get(device)!.peers;
    for (const { publicKey, allowedIps } of peers) {
      const known = has.get(publicKey);
      if (known) known.allowedIps = allowedIps;
      else has.set(publicKey, { ...NEW_PEER, publicKey, allowedIps, keepaliveSeconds: 0 });
    }
    return this.setKeepalive(device, peers);
  }

  setKeepalive(device: string, peers: readonly WireGuardKeepalive[]): Promise<void> {
    const has = this.#devices.get(device)!.peers;
    const asks = peers.filter(({ publicKey, keepaliveSeconds }) => keepaliveSeconds > 0 && has.get(publicKey)?.keepaliveSeconds === 0);
    for (const { publicKey, keepaliveSeconds } of peers) {
      const known = has.get(publicKey);
      if (known) known.keepaliveSeconds = keepaliveSeconds;
    }
    if (asks.length > 0)
      this.#options.begins(
        device,
        asks.map(({ publicKey }) => publicKey),
      );
    return Promise.resolve();
  }

  removePeers(device: string, publicKeys: readonly string[]): Promise<void> {
    for (const publicKey of publicKeys) this.#devices.get(device)?.peers.delete(publicKey);
    return Promise.resolve();
  }

  clear(device: string): Promise<void> {
    this.#devices.delete(device);
    return Promise.resolve();
  }

  /** The device's own key; undefined when it has none. */
  keyOf(device: string): string | undefined {
    return this.#devices.get(device)?.publicKey;
  }

  /** Whether a device knows who has this key. */
  knows(device: string, publicKey: string): boolean {
    return this.#devices.get(device)?.peers.has(publicKey) ?? false;
  }

  /** A handshake was made. */
  confirm(device: string, publicKey: string): void {
    const peer = this.#devices.get(device)?.peers.get(publicKey);
    if (peer) peer.latestHandshake = 1;
  }
}

const NEW_PEER = { hasPresharedKey: true, endpoint: undefined, latestHandshake: 0, received: 0, sent: 0 } as const;
