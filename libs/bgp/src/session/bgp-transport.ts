/** Address and port of one end of a connection. */
export interface BgpEndpoint {
  /** Canonical text; a link-local address has its zone behind `%`. */
  readonly address: string;
  readonly port: number;
}

/** What a connection tells its owner. Set once, before anything arrives. */
export interface ConnectionHandlers {
  /** The bytes are the callee's until it returns. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** The connection takes bytes again after {@link BgpConnection.write} answered false. */
  readonly onDrain: () => void;
  /** Once, whoever closed it; nothing comes after it. */
  readonly onClosed: (error: Error | undefined) => void;
}

/** One TCP connection to a peer. */
export interface BgpConnection {
  readonly local: BgpEndpoint;
  readonly remote: BgpEndpoint;
  start(handlers: ConnectionHandlers): void;
  /** Takes the bytes in any case. @returns false when the caller should wait for `onDrain` */
  write(bytes: Uint8Array): boolean;
  /** Sends what was written, then closes. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** How a connection is made; RFC 2385 (MD5) and RFC 5082 (TTL). */
export interface ConnectOptions {
  readonly remote: BgpEndpoint;
  /** Address to connect from. */
  readonly localAddress?: string;
  /** TCP-MD5 key of 1 to 80 bytes; absent means unsigned. */
  readonly password?: string;
  /** IP TTL that packets leave with. */
  readonly ttl?: number;
  /** Packets that arrive with a lower TTL are dropped by the kernel. */
  readonly minTtl?: number;
}

/** What a listener must know of a peer before its SYN comes. */
export interface ListenerPeer {
  /** Address or CIDR. */
  readonly address: string;
  readonly password?: string;
  readonly ttl?: number;
  readonly minTtl?: number;
}

/** An open listening socket. */
export interface BgpListener {
  readonly local: BgpEndpoint;
  /** Sets what is expected of a peer; replaces what was set for that address. */
  setPeer(peer: ListenerPeer): void;
  removePeer(address: string): void;
  close(): Promise<void>;
}

/** The only door of the speaker to the network. */
export interface BgpTransport {
  /** @throws CodedError when the connection is refused, times out or is aborted */
  connect(options: ConnectOptions, signal: AbortSignal): Promise<BgpConnection>;
  /**
   * Listens. What is expected of `peers` is set before the first SYN can come: one of them that has a password never gets in without.
   * @throws CodedError when the address or port cannot be had
   */
  listen(local: BgpEndpoint, peers: readonly ListenerPeer[], onConnection: (connection: BgpConnection) => void): Promise<BgpListener>;
}
