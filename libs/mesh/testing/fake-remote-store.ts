import type {
  RemoteChange,
  RemoteEntry,
  RemoteMirror,
  RemoteMirrorHandlers,
  RemoteOrigin,
  RemoteStore,
  RemoteStoreStatus,
} from '../src/index.ts';

const utf8 = new TextEncoder();

/** A change as the store has it: its name depends on who mirrors it. */
type Unnamed = Omit<RemoteChange, 'name'>;

interface FakeMirror {
  prefix: string;
  handlers: RemoteMirrorHandlers;
  /** Revision of each key as last delivered. */
  seen: Map<string, number>;
  closed: boolean;
}

/**
 * An etcd in memory as {@link RemoteStore} shows one. Deliveries come in microtasks. `disconnect` cuts mirrors and reads off; `connect` lets every
 * mirror list again, with what is gone as a sweep: the harshest way in which a real mirror comes back.
 */
export class FakeRemoteStore implements RemoteStore {
  readonly #entries = new Map<string, RemoteEntry>();
  readonly #mirrors = new Set<FakeMirror>();
  #revision = 0;
  #connected = true;
  #silent = false;
  /** Prefixes for which deliveries wait until {@link release}. */
  readonly #paused = new Map<string, (() => void)[]>();
  /** Keys read so far. */
  reads: string[] = [];
  /** Called in place of the next reads, once each. */
  onGet: ((key: string) => void)[] = [];

  status(): RemoteStoreStatus {
    return { endpoints: ['fake'], connected: this.#connected };
  }

  async get(key: string): Promise<RemoteEntry | undefined> {
    this.reads.push(key);
    this.onGet.shift()?.(key);
    if (!this.#connected) throw new Error('disconnected');
    return this.#entries.get(key);
  }

  mirror(prefix: string, handlers: RemoteMirrorHandlers): RemoteMirror {
    const mirror: FakeMirror = { prefix, handlers, seen: new Map(), closed: false };
    this.#mirrors.add(mirror);
    this.#later(mirror, () => (this.#connected ? this.#list(mirror) : handlers.onDisconnected(new Error('disconnected'))));
    return {
      close: () => {
        mirror.closed = true;
        this.#mirrors.delete(mirror);
      },
    };
  }

  /** Prefixes that are followed now. */
  get followed(): string[] {
    return [...this.#mirrors].map((mirror) => mirror.prefix).sort();
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  keys(prefix: string): string[] {
    return [...this.#entries.keys()].filter((key) => key.startsWith(prefix));
  }

  put(key: string, value: string | Uint8Array): void {
    const bytes = typeof value === 'string' ? utf8.encode(value) : value;
    const revision = ++this.#revision;
    this.#entries.set(key, { value: bytes, modRevision: revision });
    this.#tell([{ key, value: bytes, revision }]);
  }

  /** Deletes keys in one revision. */
  delete(...keys: string[]): void {
    const gone = keys.filter((key) => this.#entries.delete(key));
    const revision = ++this.#revision;
    this.#tell(gone.map((key) => ({ key, value: undefined, revision })));
  }

  /** Deletes everything and starts again at revision 0, as an etcd does whose disk was lost. Only while disconnected. */
  wipe(): void {
    this.#entries.clear();
    this.#revision = 0;
  }

  disconnect(): void {
    this.#connected = false;
    for (const mirror of this.#mirrors) this.#later(mirror, () => mirror.handlers.onDisconnected(new Error('disconnected')));
  }

  connect(): void {
    this.#connected = true;
    for (const mirror of this.#mirrors) this.#later(mirror, () => this.#list(mirror));
  }

  /** Changes the content without telling the mirrors: what happens while a store is replaced behind their backs. */
  silently(change: () => void): void {
    this.#silent = true;
    change();
    this.#silent = false;
  }

  /** Lets the mirror of a prefix list again without having been disconnected, as after a compaction. */
  relist(prefix: string): void {
    for (const mirror of this.#mirrors) if (mirror.prefix === prefix) this.#later(mirror, () => this.#list(mirror));
  }

  /** Holds back what mirrors of this prefix would be told. */
  pause(prefix: string): void {
    this.#paused.set(prefix, []);
  }

  /** Delivers what was held back. */
  release(prefix: string): void {
    const waiting = this.#paused.get(prefix) ?? [];
    this.#paused.delete(prefix);
    for (const deliver of waiting) queueMicrotask(deliver);
  }

  #later(mirror: FakeMirror, deliver: () => void): void {
    const guarded = (): void => {
      if (!mirror.closed) deliver();
    };
    const paused = this.#paused.get(mirror.prefix);
    if (paused === undefined) queueMicrotask(guarded);
    else paused.push(guarded);
  }

  #tell(changes: Unnamed[]): void {
    if (!this.#connected || this.#silent) return;
    for (const mirror of this.#mirrors) {
      const own = changes.filter((change) => change.key.startsWith(mirror.prefix));
      if (own.length > 0) this.#later(mirror, () => this.#deliver(mirror, own, 'watch'));
    }
  }

  #list(mirror: FakeMirror): void {
    if (!this.#connected) return;
    const now = new Map(this.keys(mirror.prefix).map((key) => [key, this.#entries.get(key)!]));
    const changed = [...now].filter(([key, entry]) => mirror.seen.get(key) !== entry.modRevision);
    const gone = [...mirror.seen.keys()].filter((key) => !now.has(key));
    const listed = changed.map(([key, entry]) => ({ key, value: entry.value, revision: entry.modRevision }));
    this.#deliver(mirror, listed, 'list');
    this.#deliver(
      mirror,
      gone.map((key) => ({ key, value: undefined, revision: this.#revision })),
      'sweep',
    );
    mirror.handlers.onSynced();
  }

  #deliver(mirror: FakeMirror, changes: Unnamed[], origin: RemoteOrigin): void {
    for (const { key, value, revision } of changes) {
      if (value === undefined) mirror.seen.delete(key);
      else mirror.seen.set(key, revision);
    }
    const named = changes.map((change) => ({ ...change, name: change.key.slice(mirror.prefix.length) }));
    if (named.length > 0) mirror.handlers.onBatch(named, origin);
  }
}
