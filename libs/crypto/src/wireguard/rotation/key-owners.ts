import type { PeerView } from './rotation-view.ts';

/** Which node each published key is of. It is kept from one look to the next: of a thousand nodes few have said anything new in between. */
export class KeyOwners {
  readonly #owners = new Map<string, string>();
  #peers: readonly PeerView[] = [];

  /** `<cluster>/<node>`; undefined: nobody publishes that key. */
  of(publicKey: string): string | undefined {
    return this.#owners.get(publicKey);
  }

  /** @param peers all other nodes; records that are the same object say the same */
  update(peers: readonly PeerView[]): void {
    const before = this.#peers;
    this.#peers = peers;
    if (before.length !== peers.length || peers.some(({ name }, i) => name !== before[i]!.name)) this.#begin();
    else for (const [i, peer] of peers.entries()) if (peer.record !== before[i]!.record) this.#change(before[i]!, peer);
  }

  #change({ record }: PeerView, to: PeerView): void {
    // Somebody else may have it by now.
    for (const { publicKey } of record?.epochs ?? []) if (this.#owners.get(publicKey) === to.name) this.#owners.delete(publicKey);
    this.#add(to);
  }

  #begin(): void {
    this.#owners.clear();
    for (const peer of this.#peers) this.#add(peer);
  }

  #add({ name, record }: PeerView): void {
    for (const { publicKey } of record?.epochs ?? []) this.#owners.set(publicKey, name);
  }
}
