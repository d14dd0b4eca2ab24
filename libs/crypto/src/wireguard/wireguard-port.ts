/** A peer as a device has to have it. */
export interface WireGuardPeer {
  /** Base64. */
  readonly publicKey: string;
  readonly endpoint: { readonly address: string; readonly port: number };
  /** Networks, canonical text: what may come from it, and what goes to it. */
  readonly allowedIps: readonly string[];
  /** File with the preshared key in base64; without one there is none. */
  readonly presharedKeyFile?: string;
  /** A packet at least so often, which makes a handshake when there is none; 0: never. */
  readonly keepaliveSeconds: number;
}

/** What makes a peer ask for a handshake, or stop it. Without a file its preshared key stays. */
export type WireGuardKeepalive = Pick<WireGuardPeer, 'publicKey' | 'keepaliveSeconds' | 'presharedKeyFile'>;

/** A peer as a device says it has it. */
export interface WireGuardPeerState {
  readonly publicKey: string;
  readonly hasPresharedKey: boolean;
  /** `192.0.2.1:51871`, `[2001:db8::1]:51871`; undefined while it is not known. */
  readonly endpoint: string | undefined;
  readonly allowedIps: readonly string[];
  /** Seconds since 1970; 0: never. */
  readonly latestHandshake: number;
  /** Bytes. */
  readonly received: number;
  readonly sent: number;
  readonly keepaliveSeconds: number;
}

/** A device as it is. No key of it that is secret is in here. */
export interface WireGuardDeviceState {
  /** Base64; undefined while it has no private key. */
  readonly publicKey: string | undefined;
  readonly listenPort: number;
  /** Mark of the packets that it sends; 0: none. */
  readonly mark: number;
  readonly peers: readonly WireGuardPeerState[];
}

/** What a device is set up with. */
export interface WireGuardDeviceSettings {
  /** File with the private key in base64. A device that has it already keeps its sessions. */
  readonly privateKeyFile: string;
  readonly listenPort: number;
  readonly mark: number;
}

/** WireGuard devices, whoever makes them: the kernel, or wireguard-go. None of this ever flushes a device, which would end its sessions. */
export interface WireGuardPort {
  /** @returns undefined when there is no such device */
  show(device: string): Promise<WireGuardDeviceState | undefined>;
  setUp(device: string, settings: WireGuardDeviceSettings): Promise<void>;
  /**
   * Adds peers, or changes them: sessions stay. For a moment a peer that was there has no networks, and loses what is sent to it and what comes from it.
   */
  putPeers(device: string, peers: readonly WireGuardPeer[]): Promise<void>;
  /** Changes nothing else of peers that are there. */
  setKeepalive(device: string, peers: readonly WireGuardKeepalive[]): Promise<void>;
  /** Ends sessions with peers; those that are not there are fine. */
  removePeers(device: string, publicKeys: readonly string[]): Promise<void>;
  /** Ends all sessions, and forgets the private key. */
  clear(device: string): Promise<void>;
}
