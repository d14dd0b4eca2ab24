import { type Epoch, type PairAnswer, type PairKeys, type PairRequest, PairSecrets, type Proposal } from '@isthmus/crypto';

const NOTHING = new Uint8Array();
const ANSWER: PairAnswer = { ciphertext: NOTHING, confirmation: NOTHING };

/** Preshared keys that nodes agree on as they do, but that nobody computes; records have the hashes of KEM keys for it all the same. */
export class SimulatedSecrets extends PairSecrets {
  readonly #agreed = new Map<Epoch, Set<string>>();

  constructor() {
    const nothing = async (): Promise<undefined> => undefined;
    const noPairs = { savePair: nothing, readPair: nothing, removePair: nothing };
    super({ ...noPairs, load: async () => new Map(), saveSeed: nothing, file: () => '', remove: nothing }, true);
  }

  override agreed(epoch: Epoch, publicKey: string): boolean {
    return this.#agreed.get(epoch)?.has(publicKey) === true;
  }

  override propose({ epoch, ownKey, peerKey }: PairKeys): Proposal {
    const request = { epoch, callerKey: ownKey, calleeKey: peerKey, kemKey: NOTHING };
    return { request, confirm: async () => this.#agree(epoch, peerKey) };
  }

  override async accept({ epoch, callerKey }: PairRequest): Promise<PairAnswer> {
    this.#agree(epoch, callerKey);
    return ANSWER;
  }

  override async drop(epoch: Epoch): Promise<void> {
    this.#agreed.delete(epoch);
    await super.drop(epoch);
  }

  #agree(epoch: Epoch, publicKey: string): void {
    const peers = this.#agreed.get(epoch);
    if (peers) peers.add(publicKey);
    else this.#agreed.set(epoch, new Set([publicKey]));
  }
}
