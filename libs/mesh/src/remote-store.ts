/** One change under a mirrored prefix. The bytes are a view into a message: decode or copy them, do not keep them. */
export interface RemoteChange {
  /** The whole key. */
  key: string;
  /** What the mirrored prefix leaves of it; may be kept. */
  name: string;
  /** undefined: the key is gone. */
  value: Uint8Array | undefined;
  /** Revision of the change. */
  revision: number;
}

/** Where a batch comes from: a page of a listing, the keys that a repeated listing found gone, or a watch. */
export type RemoteOrigin = 'list' | 'sweep' | 'watch';

/** Who hears of a mirrored prefix. Calls come one at a time. */
export interface RemoteMirrorHandlers {
  /** Changes in order. The first listing delivers every key; later ones only what differs, and what is gone as `sweep`. */
  onBatch(changes: readonly RemoteChange[], origin: RemoteOrigin): void;
  /** Everything is delivered and the watch runs: after each listing and after each reconnection. */
  onSynced(): void;
  /** The store cannot be read now. May be called again for each failed attempt. */
  onDisconnected(error: unknown): void;
}

/** How a prefix is followed. */
export interface RemoteMirrorOptions {
  /** With more keys the store counts as one that cannot be read. */
  maxKeys: number;
  /** What the store lost by being wiped or restored is told only when nobody wrote it again for a while; at once unless given. */
  holdLost?: boolean;
}

/** A prefix being followed. */
export interface RemoteMirror {
  /** Ends it; nothing is delivered after. */
  close(): void;
}

/** One key as it is now. */
export interface RemoteEntry {
  value: Uint8Array;
  /** Revision of the last change. */
  modRevision: number;
}

/** What a store says of its connection, for status output. */
export interface RemoteStoreStatus {
  /** Where it connects to, as configured. */
  endpoints: readonly string[];
  connected: boolean;
  /** Id of the etcd cluster that answers, when known. */
  clusterId?: string;
  /** The last error's text. */
  error?: string;
}

/**
 * The etcd of a remote cluster, or our own one that mirrors it, as an importer needs it. The applications adapt the key-value store to
 * this; mirrors reconnect by themselves.
 */
export interface RemoteStore {
  status(): RemoteStoreStatus;
  /** Reads one key, linearised: never older than what any mirror has delivered. Rejects when the store cannot be read. */
  get(key: string): Promise<RemoteEntry | undefined>;
  /** Follows every key that starts with `prefix`. Handlers are not called before this returns. */
  mirror(prefix: string, handlers: RemoteMirrorHandlers, options: RemoteMirrorOptions): RemoteMirror;
}
