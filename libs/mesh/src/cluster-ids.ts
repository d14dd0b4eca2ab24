/** Which connected cluster holds which id. One per process: it is what keeps two remotes from sharing an identity range. */
export class ClusterIds {
  readonly #owners = new Map<number, string>();
  readonly #listeners = new Set<() => void>();

  /** The cluster that holds the id. */
  owner(id: number): string | undefined {
    return this.#owners.get(id);
  }

  /** Takes the id; false when another cluster holds it. Taking one's own again is fine. */
  reserve(id: number, cluster: string): boolean {
    const owner = this.#owners.get(id);
    if (owner !== undefined && owner !== cluster) return false;
    this.#owners.set(id, cluster);
    return true;
  }

  /** Gives the id back. Does nothing when another cluster holds it. */
  release(id: number, cluster: string): void {
    if (this.#owners.get(id) !== cluster) return;
    this.#owners.delete(id);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Calls `listener` whenever an id becomes free. Returns what ends that. */
  onRelease(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
