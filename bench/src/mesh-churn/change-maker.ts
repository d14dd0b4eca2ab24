import { RESERVED_IDENTITY } from '@isthmus/model';
import type { Wanted } from '../mesh/agent-map.ts';
import { absent, present } from '../mesh/cache-lab.ts';
import {
  hostAddress,
  identityIndex,
  identityNumber,
  identityPair,
  ipPair,
  labelsOf,
  type MadeUpCluster,
  nodePair,
  podAddress,
} from '../mesh/remote-records.ts';

/** A change of one key, and what the ipcache map must say then; undefined where no map tells. */
export interface MeshChange {
  readonly key: string;
  /** undefined: the key is deleted. */
  readonly value: string | undefined;
  readonly wanted: Wanted | undefined;
}

/** One pod, node or identity of a mesh. */
interface Place {
  readonly cluster: MadeUpCluster;
  readonly index: number;
  /** How often all of its kind were changed before. */
  readonly lap: number;
}

/** Addresses that are away at a time: one comes back long after its going was seen, also at the highest rate. */
const STAY_AWAY = 5_000;

/**
 * Makes changes to made-up clusters, each of another key than the ones before: addresses get other identities, go away and come back, nodes get
 * other addresses, identities other labels. The same sequence each time.
 */
export class ChangeMaker {
  readonly #clusters: readonly MadeUpCluster[];
  readonly #gone: Place[] = [];
  readonly #moved = new Set<string>();
  readonly #labels = new Map<number, string>();
  #made = { ips: 0, nodes: 0, identities: 0 };

  constructor(clusters: readonly MadeUpCluster[]) {
    this.#clusters = clusters;
  }

  /** Labels of the identities that were changed, as they are now. */
  get labels(): ReadonlyMap<number, string> {
    return this.#labels;
  }

  /** An address, by turns: gets another identity, goes away, or one that went long ago comes back. */
  ip(): MeshChange {
    const turn = this.#made.ips % 3;
    const place = this.#next('ips');
    if (turn === 1) return this.#away(place);
    const back = turn === 2 && this.#gone.length > STAY_AWAY ? this.#gone.shift() : undefined;
    return back ? this.#present(back, 0) : this.#present(place, place.lap + 1);
  }

  /** A node: its own address among those of its pods is another one. */
  node(): MeshChange {
    const { cluster, index } = this.#next('nodes');
    const id = `${cluster.id}/${index}`;
    const moved = !this.#moved.delete(id);
    if (moved) this.#moved.add(id);
    const [key, value] = nodePair(cluster, index, moved);
    return { key, value, wanted: present(hostAddress(cluster, index, moved), RESERVED_IDENTITY.remoteNode, cluster.id) };
  }

  /** An identity: it has other labels. */
  identity(): MeshChange {
    const revision = this.#made.identities + 1;
    const { cluster, index } = this.#next('identities');
    const [key, value] = identityPair(cluster, index, revision);
    this.#labels.set(
      identityNumber(cluster, index),
      labelsOf(cluster, index, revision)
        .map((label) => `${label};`)
        .join(''),
    );
    return { key, value, wanted: undefined };
  }

  #away(place: Place): MeshChange {
    this.#gone.push(place);
    const { cluster, index } = place;
    return { key: this.#present(place, 0).key, value: undefined, wanted: absent(podAddress(cluster, index), cluster.id) };
  }

  /** @param shift how many identities further than the one that is the pod's by its number */
  #present({ cluster, index }: Place, shift: number): MeshChange {
    const identity = identityNumber(cluster, (identityIndex(cluster, index) + shift) % cluster.identities);
    const [key, value] = ipPair(cluster, index, identity);
    return { key, value, wanted: present(podAddress(cluster, index), identity, cluster.id) };
  }

  /** Goes through all clusters, and through all of a kind in each: a key comes again after all others. */
  #next(kind: 'ips' | 'nodes' | 'identities'): Place {
    const made = this.#made[kind]++;
    const cluster = this.#clusters[made % this.#clusters.length] as MadeUpCluster;
    const round = Math.floor(made / this.#clusters.length);
    return { cluster, index: round % cluster[kind], lap: Math.floor(round / cluster[kind]) };
  }
}
