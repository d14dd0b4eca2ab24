import { CodedError, type FoundEntry, LOCAL_SCOPE, type SinkFailures, type SinkRow, type SinkTarget } from '@isthmus/core';
import { CILIUM_BGP_NODE_CONFIG, type CiliumBGPNodeConfig, type ResourceStore } from '@isthmus/model';
import { BGP_NODE_CONFIG_FOREIGN } from '../operator.errors.ts';
import { rowByRow } from '../sinks/row-by-row.ts';
import { OPERATOR_NAME } from '../slices/slice-labels.ts';
import type { BgpNodeConfigRow } from './bgp-node-config-row.ts';

/** Label of a node config: who writes it. */
const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** Writes CiliumBGPNodeConfigs; their status is the agents'. Those of others are neither written nor removed. */
export class BgpNodeConfigTarget implements SinkTarget<BgpNodeConfigRow> {
  readonly #resources: ResourceStore;

  constructor(resources: ResourceStore) {
    this.#resources = resources;
  }

  update(rows: readonly SinkRow<BgpNodeConfigRow>[]): Promise<SinkFailures> {
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: row })),
      (row) => this.#write(row),
    );
  }

  delete(keys: readonly string[]): Promise<SinkFailures> {
    return rowByRow(
      keys.map((key) => ({ key, item: key })),
      (key) => this.#remove(key),
    );
  }

  async *entries(): AsyncIterable<readonly FoundEntry[]> {
    const configs = await this.#resources.list(CILIUM_BGP_NODE_CONFIG);
    yield configs.filter(isOurs).map(({ metadata }) => ({ key: metadata.name, scope: LOCAL_SCOPE }));
  }

  async #write(row: BgpNodeConfigRow): Promise<void> {
    await this.#resources.update(CILIUM_BGP_NODE_CONFIG, row.node, undefined, (current) => {
      if (current && !isOurs(current)) throw foreign(row);
      return nodeConfigObject(row, current);
    });
  }

  async #remove(name: string): Promise<void> {
    const current = await this.#resources.get(CILIUM_BGP_NODE_CONFIG, name);
    if (current && isOurs(current)) await this.#resources.delete(CILIUM_BGP_NODE_CONFIG, name);
  }
}

function isOurs({ metadata }: CiliumBGPNodeConfig): boolean {
  return metadata.labels?.[MANAGED_BY] === OPERATOR_NAME;
}

function foreign({ node, clusterConfig }: BgpNodeConfigRow): CodedError {
  const object = `CiliumBGPNodeConfig ${node}`;
  return new CodedError(BGP_NODE_CONFIG_FOREIGN, `${object} is there already and not of ${clusterConfig}`, { object });
}

function nodeConfigObject(row: BgpNodeConfigRow, current: CiliumBGPNodeConfig | undefined): CiliumBGPNodeConfig {
  const { node, clusterConfig, clusterConfigUid, instances } = row;
  const owner = {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumBGPClusterConfig',
    name: clusterConfig,
    uid: clusterConfigUid,
    controller: true,
  };
  return {
    ...current,
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumBGPNodeConfig',
    metadata: {
      ...current?.metadata,
      name: node,
      labels: { ...current?.metadata.labels, [MANAGED_BY]: OPERATOR_NAME },
      ownerReferences: [owner],
    },
    spec: { bgpInstances: [...instances] },
  };
}
