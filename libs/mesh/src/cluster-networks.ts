import { type Cidr, type Ip, parseCidr } from '@isthmus/net';

/** Which addresses one cluster may publish. */
export interface AddressRules {
  /** Why pods of the cluster may not have addresses of this network; undefined when they may. */
  pods(network: Cidr): string | undefined;
  /** Why the cluster may not say that this is a node or a server of its; undefined when it may. */
  other(address: Ip): string | undefined;
}

/**
 * The pod networks of every cluster, as each told its own when it joined; a join refuses those that overlap. What a cluster publishes later is
 * held against them, or it could take addresses of others over. One per process, beside {@link ClusterIds}.
 */
export class ClusterNetworks {
  readonly #networks = new Map<string, readonly Cidr[]>();

  /** Says what a cluster's pod networks are, in place of what was said before. Text that is no network is passed over. */
  set(cluster: string, networks: readonly string[]): void {
    this.#networks.set(
      cluster,
      networks.flatMap((text) => parseCidr(text) ?? []),
    );
  }

  /** The cluster is not of the mesh any more. */
  delete(cluster: string): void {
    this.#networks.delete(cluster);
  }

  /**
   * The rules for one cluster. Pods of a cluster that told its networks are inside them. One that was configured by hand told none: its pods
   * may be anywhere but in those of others.
   */
  rulesOf(cluster: string): AddressRules {
    return {
      pods: (network) => this.#podsProblem(cluster, network),
      other: (address) => this.#clash(cluster, (theirs) => theirs.contains(address)),
    };
  }

  #podsProblem(cluster: string, network: Cidr): string | undefined {
    const own = this.#networks.get(cluster) ?? [];
    if (own.some((each) => each.covers(network))) return undefined;
    const clash = this.#clash(cluster, (theirs) => theirs.overlaps(network));
    if (clash !== undefined) return clash;
    return own.length === 0 ? undefined : `it is outside of ${own.join(' and ')}, which ${cluster} joined with`;
  }

  #clash(cluster: string, meets: (theirs: Cidr) => boolean): string | undefined {
    for (const [owner, networks] of this.#networks) {
      if (owner === cluster) continue;
      const theirs = networks.find(meets);
      if (theirs) return `it overlaps ${theirs} of ${owner}`;
    }
    return undefined;
  }
}
