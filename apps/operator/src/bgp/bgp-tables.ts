import { LOCAL_SCOPE, type Store, type Table, type TableWriter } from '@isthmus/core';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import type { WantedConditions } from '../status/condition-target.ts';
import { declareBgpClusterConditions, declareBgpPeerConditions } from './bgp-conditions.ts';
import type { BgpNodeConfigRow } from './bgp-node-config-row.ts';
import type { BgpClusterConfigRow, BgpOverrideRow, BgpPeerConfigRow, BgpSecretRow } from './bgp-rows.ts';
import { declareBgpSelections } from './bgp-selection.ts';
import { declareBgpNodeConfigs } from './declare-bgp-node-configs.ts';

/** The tables of BGP: what is read, and what should be. */
export class BgpTables {
  readonly configs: TableWriter<BgpClusterConfigRow>;
  readonly overrides: TableWriter<BgpOverrideRow>;
  readonly peerConfigs: TableWriter<BgpPeerConfigRow>;
  /** Of the namespace of BGP secrets alone. */
  readonly secrets: TableWriter<BgpSecretRow>;
  readonly nodeConfigs: Table<BgpNodeConfigRow>;
  readonly clusterConditions: Table<WantedConditions>;
  readonly peerConditions: Table<WantedConditions>;

  constructor(store: Store, nodes: Table<OperatorNodeRow>, secretsNamespace: string) {
    this.configs = store.table('bgp-cluster-configs');
    this.overrides = store.table('bgp-overrides');
    this.peerConfigs = store.table('bgp-peer-configs');
    this.secrets = store.table('bgp-secrets');
    const [configs, overrides, peerConfigs] = [this.configs.table, this.overrides.table, this.peerConfigs.table];
    const selections = declareBgpSelections(store, nodes, configs);
    this.nodeConfigs = declareBgpNodeConfigs(store, { nodes, configs, overrides, selections });
    this.clusterConditions = declareBgpClusterConditions(store, { nodes, configs, selections, peerConfigs });
    this.peerConditions = declareBgpPeerConditions(store, peerConfigs, this.secrets.table, secretsNamespace);
  }

  /** All that node configs are derived from has been read. Secrets are not among it: only what is said of them waits for them. */
  get synced(): boolean {
    return [this.configs, this.overrides, this.peerConfigs].every(({ table }) => table.scopes.isSynced(LOCAL_SCOPE));
  }

  /** The secrets have been read, too. */
  get secretsSynced(): boolean {
    return this.secrets.table.scopes.isSynced(LOCAL_SCOPE);
  }
}
