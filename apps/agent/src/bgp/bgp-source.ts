import type { Store } from '@isthmus/core';
import {
  type BgpNodeInstance,
  CILIUM_BGP_ADVERTISEMENT,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_NODE,
  CILIUM_POD_IP_POOL,
  type CiliumBGPAdvertisement,
  type CiliumBGPNodeConfig,
  type CiliumNode,
  followResources,
  followRows,
  type Resource,
  type ResourceKind,
  type ResourceStore,
  SECRET,
  type Secret,
  secretValue,
} from '@isthmus/model';
import { canonicalCidr } from '@isthmus/net';
import { advertisementEntries } from './advertised.ts';
import type { BgpEntryRow } from './bgp-rows.ts';
import type { BgpPoolShareRow, BgpSources } from './bgp-tables.ts';
import { SecretText } from './secret-text.ts';

/** What the source reads with. */
export interface BgpSourceOptions {
  readonly resources: Pick<ResourceStore, 'watch'>;
  readonly store: Store;
  readonly node: string;
  /** Namespace of the secrets that hold passwords. */
  readonly secretsNamespace: string;
  readonly onInvalid: (kind: string, key: string, error: unknown) => void;
  readonly onDisconnected: (error: unknown) => void;
}

/** Mirrors what concerns this node's BGP into its tables: its node config, peer configs, advertisements, shares of pod pools, and passwords. */
export async function runBgpSource(options: BgpSourceOptions, tables: BgpSources, signal: AbortSignal): Promise<void> {
  const { resources, store, node, secretsNamespace, onDisconnected } = options;
  const common = <T extends Resource>(kind: ResourceKind<T>) => ({
    resources,
    store,
    kind,
    signal,
    onDisconnected,
    onInvalid: (key: string, error: unknown) => options.onInvalid(kind.kind, key, error),
  });
  await Promise.all([
    followRows<CiliumBGPNodeConfig, BgpNodeInstance>({
      ...common(CILIUM_BGP_NODE_CONFIG),
      part: { name: node },
      writer: tables.instances,
      rowsOf: instanceRows,
    }),
    followResources({ ...common(CILIUM_BGP_PEER_CONFIG), writer: tables.peerConfigs, rowOf: ({ spec }) => ({ spec }) }),
    followRows({ ...common(CILIUM_BGP_ADVERTISEMENT), writer: tables.entries, rowsOf: entryRows }),
    followResources({
      ...common(CILIUM_POD_IP_POOL),
      writer: tables.podPools,
      rowOf: ({ metadata }) => ({ labels: metadata.labels ?? {} }),
    }),
    followRows({ ...common(CILIUM_NODE), part: { name: node }, writer: tables.poolShares, rowsOf: shareRows }),
    followRows({ ...common(SECRET), part: { namespace: secretsNamespace }, writer: tables.secrets, rowsOf: passwordRows }),
  ]);
}

function instanceRows({ spec }: CiliumBGPNodeConfig): [string, BgpNodeInstance][] {
  return spec.bgpInstances.map((instance) => [instance.name, instance]);
}

function entryRows(advertisement: CiliumBGPAdvertisement): [string, BgpEntryRow][] {
  return advertisementEntries(advertisement).map((entry, i) => [`${advertisement.metadata.name}#${i}`, entry]);
}

function shareRows({ spec }: CiliumNode): [string, BgpPoolShareRow][] {
  const shares = (spec.ipam?.pools?.allocated ?? []).flatMap(({ pool, cidrs = [] }) => cidrs.map((text) => ({ pool, text })));
  return shares.flatMap(({ pool, text }): [string, BgpPoolShareRow][] => {
    const cidr = canonicalCidr(text);
    return cidr === undefined ? [] : [[cidr, { pool }]];
  });
}

function passwordRows(secret: Secret): [string, SecretText][] {
  const password = secretValue(secret, 'password');
  return password === undefined ? [] : [[secret.metadata.name, new SecretText(password.toString())]];
}
