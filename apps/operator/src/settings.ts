import { CodedError } from '@isthmus/core';
import { type IdentityRange, identityRange, type MaxConnectedClusters } from '@isthmus/mesh';
import { CONFIG_INVALID, type Config, type ConfigKey } from '@isthmus/model';
import { type Cidr, type Family, parseCidr } from '@isthmus/net';

/** Where nodes get their pod CIDRs of one family from. */
export interface PodPool {
  readonly networks: readonly Cidr[];
  /** Prefix length of a node's pod CIDR. */
  readonly length: number;
}

/** What the operator does, from the process's configuration. Durations in milliseconds. */
export interface OperatorSettings {
  readonly cluster: string;
  /** Identities that this cluster gives, and may therefore collect. */
  readonly identities: IdentityRange;
  /** Families that pods have, IPv4 first. */
  readonly families: readonly Family[];
  /** By family; only enabled ones. */
  readonly podPools: ReadonlyMap<Family, PodPool>;
  /** By family; only configured ones. */
  readonly serviceRanges: ReadonlyMap<Family, Cidr>;
  /** Where the passwords of BGP peers are. */
  readonly bgpSecretsNamespace: string;
  readonly identityGcMs: number;
  readonly nodeGcMs: number;
  readonly leaseSeconds: number;
  /** Undefined: nothing is encrypted. */
  readonly encryption: EncryptionSettings | undefined;
}

/** How the keys of encryption change. */
export interface EncryptionSettings {
  readonly clusterId: number;
  /** Milliseconds between two changes; 0: only when somebody asks for one. */
  readonly rotationMs: number;
  /** Milliseconds for which nodes that do not come along hold up a change. */
  readonly maxOverlapMs: number;
  /** Milliseconds between two changes that other clusters ask for, on average. */
  readonly followMs: number;
}

/** Picks and converts the operator's settings. @throws CodedError CONFIG_INVALID naming the key */
export function operatorSettings(config: Config): OperatorSettings {
  const max = Number(config['max-connected-clusters']) as MaxConnectedClusters;
  const families = ([4, 6] as const).filter((family) => config[`enable-ipv${family}`]);
  return {
    cluster: config['cluster-name'],
    identities: identityRange(config['cluster-id'], max),
    families,
    podPools: new Map(families.map((family) => [family, podPool(config, family)])),
    serviceRanges: serviceRanges(config),
    bgpSecretsNamespace: config['bgp-secrets-namespace'],
    identityGcMs: config['identity-gc-interval'] * 1000,
    nodeGcMs: config['nodes-gc-interval'] * 1000,
    leaseSeconds: config['leader-lease-duration'],
    encryption: config['enable-wireguard']
      ? {
          clusterId: config['cluster-id'],
          rotationMs: config['wireguard-rotation-interval'] * 1000,
          maxOverlapMs: config['wireguard-max-overlap'] * 1000,
          followMs: config['wireguard-follow-interval'] * 1000,
        }
      : undefined,
  };
}

function podPool(config: Config, family: Family): PodPool {
  const key = `cluster-pool-ipv${family}-cidr` as const;
  const length = config[`cluster-pool-ipv${family}-mask-size`];
  const networks = config[key].map((text) => network(key, text, family));
  const small = networks.find((each) => each.length > length);
  if (small) throw refuse(key, `${small} is smaller than a node's share, /${length}`);
  return { networks, length };
}

function serviceRanges(config: Config): ReadonlyMap<Family, Cidr> {
  const ranges = new Map<Family, Cidr>();
  for (const family of [4, 6] as const) {
    const key = `service-cidr-ipv${family}` as const;
    if (config[key] !== '') ranges.set(family, network(key, config[key], family));
  }
  return ranges;
}

function network(key: ConfigKey, text: string, family: Family): Cidr {
  const cidr = parseCidr(text);
  if (cidr?.family !== family) throw refuse(key, `${text} is no IPv${family} network`);
  return cidr;
}

function refuse(key: ConfigKey, why: string): CodedError {
  return new CodedError(CONFIG_INVALID, `${key}: ${why}`, { object: key });
}
