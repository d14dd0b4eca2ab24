import { type ClusterConfig, decodeClusterConfig } from './cluster-config.codec.ts';
import type { Decoded } from './decode-result.ts';
import { canaryPrefix, clusterConfigKey } from './keys.ts';
import type { RemoteChange, RemoteEntry, RemoteMirror, RemoteMirrorHandlers, RemoteStore } from './remote-store.ts';

/** A cluster configuration as read. */
export interface SeenConfig {
  /** The value's text, to notice changes by. */
  text: string;
  decoded: Decoded<ClusterConfig>;
}

/** Longest heartbeat that is believed to be one, in bytes. */
const MAX_HEARTBEAT = 128;
/** Canaries of one cluster that are remembered at most; there are six known prefixes. */
const MAX_CANARIES = 64;

/** Configuration, canaries or heartbeats under one prefix; one of them is ours to follow, or a few. */
const MAX_CONTROL_KEYS = 10_000;

const lenient = new TextDecoder();

/** What a change looks like to {@link RemoteControl.canary}: another token means that the canary was written anew. */
function tokenOf(value: Uint8Array, revision: number): string {
  return `${revision}/${lenient.decode(value.subarray(0, MAX_HEARTBEAT))}`;
}

function configOf(value: Uint8Array): SeenConfig {
  return { text: lenient.decode(value), decoded: decodeClusterConfig(value) };
}

/** Who hears of the control keys. */
export interface RemoteControlListener {
  /** Something of configuration, canaries or connection changed. */
  changed(): void;
  /** The heartbeat key has this value. */
  heartbeat(value: string): void;
}

/** The leased keys of a remote cluster: configuration, canaries and heartbeat, as they are now. */
export class RemoteControl {
  readonly #store: RemoteStore;
  readonly #cluster: string;
  readonly #heartbeatKey: string;
  readonly #listener: RemoteControlListener;
  readonly #canaries = new Map<string, string>();
  readonly #unsynced = new Set<string>();
  #mirrors: RemoteMirror[] = [];
  #config: SeenConfig | undefined;
  #error: unknown;
  /** Batches taken of configuration and canaries, and closings. */
  #changes = 0;

  constructor(store: RemoteStore, cluster: string, heartbeatKey: string, listener: RemoteControlListener) {
    this.#store = store;
    this.#cluster = cluster;
    this.#heartbeatKey = heartbeatKey;
    this.#listener = listener;
  }

  /** The configuration; undefined while there is none, or before it was read. */
  get config(): SeenConfig | undefined {
    return this.#config;
  }

  /** All control keys are read and followed. */
  get connected(): boolean {
    return this.#mirrors.length > 0 && this.#unsynced.size === 0;
  }

  /** Why the last attempt to read failed. */
  get error(): unknown {
    return this.#error;
  }

  /** Identifies the present canary under this key; undefined when there is none. */
  canary(key: string): string | undefined {
    return this.#canaries.get(key);
  }

  open(): void {
    const configKey = clusterConfigKey(this.#cluster);
    this.#follow(configKey, (change) => {
      // the prefix of `west` is also one of `west-2`
      if (change.key === configKey) this.#config = change.value && configOf(change.value);
    });
    this.#follow(canaryPrefix(this.#cluster), (change) =>
      this.#setCanary(change.key, change.value && tokenOf(change.value, change.revision)),
    );
    this.#follow(this.#heartbeatKey, (change) => {
      if (change.key === this.#heartbeatKey && change.value)
        this.#listener.heartbeat(lenient.decode(change.value.subarray(0, MAX_HEARTBEAT)));
    });
  }

  close(): void {
    for (const mirror of this.#mirrors) mirror.close();
    this.#mirrors = [];
    this.#changes++;
    this.#unsynced.clear();
    this.#canaries.clear();
    this.#config = undefined;
  }

  /**
   * Reads the configuration and these canaries from the store itself, and believes that over what the mirrors have said so far.
   * @returns false when a mirror told of a change meanwhile, which may be newer than what was read: ask again
   */
  async refresh(canaries: readonly string[]): Promise<boolean> {
    const changes = this.#changes;
    const [config, ...entries] = await Promise.all([clusterConfigKey(this.#cluster), ...canaries].map((key) => this.#store.get(key)));
    if (changes !== this.#changes) return false;
    this.#config = config && configOf(config.value);
    for (const [index, key] of canaries.entries()) this.#setCanary(key, entryToken(entries[index]));
    return true;
  }

  #setCanary(key: string, token: string | undefined): void {
    if (token === undefined) this.#canaries.delete(key);
    else if (this.#canaries.size < MAX_CANARIES || this.#canaries.has(key)) this.#canaries.set(key, token);
  }

  #follow(prefix: string, take: (change: RemoteChange) => void): void {
    this.#unsynced.add(prefix);
    const handlers: RemoteMirrorHandlers = {
      onBatch: (changes) => {
        if (prefix !== this.#heartbeatKey) this.#changes++;
        for (const change of changes) take(change);
        if (!this.#unsynced.has(prefix)) this.#listener.changed();
      },
      onSynced: () => {
        this.#unsynced.delete(prefix);
        this.#listener.changed();
      },
      onDisconnected: (error) => {
        this.#error = error;
        this.#unsynced.add(prefix);
        this.#listener.changed();
      },
    };
    this.#mirrors.push(this.#store.mirror(prefix, handlers, { maxKeys: MAX_CONTROL_KEYS }));
  }
}

function entryToken(entry: RemoteEntry | undefined): string | undefined {
  return entry && tokenOf(entry.value, entry.modRevision);
}
