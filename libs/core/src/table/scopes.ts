/** The scope of everything that this node or cluster itself says. Other scopes are named after clusters. */
export const LOCAL_SCOPE = 'local';

/**
 * Which scopes of a table are complete. Nothing outside is pruned for a scope until it is synced; a scope that nobody declared counts as
 * synced and empty once the set of scopes itself is known (the configuration has been read).
 */
export interface Scopes {
  isSynced(scope: string): boolean;
  /** Another number after each change. */
  readonly version: number;
  /** Declared scopes, for display. */
  names(): Iterable<string>;
}

/** Scopes of a table that a source writes. */
export class SourceScopes implements Scopes {
  readonly #synced = new Map<string, boolean>();
  #known = false;
  #version = 0;

  get version(): number {
    return this.#version;
  }

  isSynced(scope: string): boolean {
    return this.#synced.get(scope) ?? this.#known;
  }

  names(): Iterable<string> {
    return this.#synced.keys();
  }

  /** @returns whether this changed anything */
  set(scope: string, synced: boolean): boolean {
    if (this.#synced.get(scope) === synced) return false;
    this.#synced.set(scope, synced);
    this.#version++;
    return true;
  }

  forget(scope: string): boolean {
    if (!this.#synced.delete(scope)) return false;
    this.#version++;
    return true;
  }

  setKnown(): boolean {
    if (this.#known) return false;
    this.#known = true;
    this.#version++;
    return true;
  }
}

/** Scopes of a derived table: complete where every input is. */
export class DerivedScopes implements Scopes {
  readonly #inputs: readonly Scopes[];

  constructor(inputs: readonly Scopes[]) {
    this.#inputs = inputs;
  }

  get version(): number {
    return this.#inputs.reduce((sum, input) => sum + input.version, 0);
  }

  isSynced(scope: string): boolean {
    return this.#inputs.every((input) => input.isSynced(scope));
  }

  names(): Iterable<string> {
    return new Set(this.#inputs.flatMap((input) => [...input.names()]));
  }
}
