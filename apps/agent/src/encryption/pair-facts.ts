import type { Notifier, Store } from '@isthmus/core';
import { deviceOf, type Epoch, type PeerPlace, type RotationRunner } from '@isthmus/crypto';
import type { EncryptionTables } from './encryption-tables.ts';
import type { PairFacts } from './key-exchange.ts';

/** Where {@link pairFacts} looks. */
export interface PairFactSources {
  readonly tables: EncryptionTables;
  readonly store: Pick<Store, 'changed'>;
  /** Public key of an epoch that this node has. */
  ownKey(epoch: Epoch): string | undefined;
  placeOf(peer: string): PeerPlace | undefined;
  /** Told after each look. */
  readonly looked: Notifier;
  /** What looks. */
  runner(): Pick<RotationRunner, 'seen' | 'has'> | undefined;
}

/** What agreements on preshared keys go by: asked each time, for it changes while keys do. */
export function pairFacts({ tables, store, ownKey, placeOf, looked, runner }: PairFactSources): PairFacts {
  return {
    name: tables.name,
    ownKey,
    recordOf: (peer) => tables.recordOf(peer),
    addressOf: (peer) => placeOf(peer)?.address,
    isBare: (epoch, publicKey) => {
      const found = runner()?.seen[deviceOf(epoch)]?.peers.find((each) => each.publicKey === publicKey);
      return found !== undefined && found.latestHandshake > 0 && !found.hasPresharedKey;
    },
    until: (holds, until) => store.changed.until(holds, until),
    untilInstalled: (epoch, publicKey, until) => looked.until(() => runner()?.has(epoch, publicKey) === true, until),
  };
}
