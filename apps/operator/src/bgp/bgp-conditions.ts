import { input, type Store, type Table } from '@isthmus/core';
import { matchesSelector } from '@isthmus/model';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { type Condition, problemCondition } from '../status/condition.ts';
import type { WantedConditions } from '../status/condition-target.ts';
import { type BgpClusterConfigRow, type BgpPeerConfigRow, type BgpSecretRow, PASSWORD_KEY } from './bgp-rows.ts';
import type { BgpSelection } from './bgp-selection.ts';

/** Types of conditions; Cilium's where it has one. */
const NO_MATCHING_NODE = 'cilium.io/NoMatchingNode';
const MISSING_PEER_CONFIGS = 'cilium.io/MissingPeerConfigs';
const CONFLICTING = 'cilium.io/ConflictingClusterConfig';
const BMP_UNSUPPORTED = 'isthmus.io/BMPUnsupported';
const NO_ROUTE_REFLECTOR = 'isthmus.io/NoRouteReflector';
const MISSING_AUTH_SECRET = 'cilium.io/MissingAuthSecret';

/** Names in a message before the rest is counted. */
const NAMES_SHOWN = 5;

/** What conditions of cluster configs are derived from. */
export interface ClusterConditionInputs {
  readonly nodes: Table<OperatorNodeRow>;
  readonly configs: Table<BgpClusterConfigRow>;
  readonly selections: Table<BgpSelection>;
  readonly peerConfigs: Table<BgpPeerConfigRow>;
}

/** Declares the conditions of cluster configs. Key: the config's name. */
export function declareBgpClusterConditions(store: Store, inputs: ClusterConditionInputs): Table<WantedConditions> {
  const { nodes, configs, selections, peerConfigs } = inputs;
  const namesOf = (row: BgpSelection | undefined): string[] => (row ? [row.config, ...row.others] : []);
  const selected = selections.index('selecting config', namesOf);
  const referring = configs.index('peer config', (config) => [...references(config)]);
  return store.derive<WantedConditions>({
    name: 'bgp-cluster-conditions',
    inputs: [
      input(configs, (key) => [key]),
      input(selections, (_, row, before) => [...namesOf(row), ...namesOf(before)]),
      input(peerConfigs, (key) => referring.get(key)),
      input(nodes, (key) => namesOf(selections.get(key))),
    ],
    compute: (key) => {
      const config = configs.get(key);
      if (!config) return undefined;
      const names = [...selected.get(key)].sort();
      const missing = [...references(config)].filter((name) => !peerConfigs.has(name)).sort();
      const conflicting = names.filter((node) => (selections.get(node)?.others.length ?? 0) > 0);
      const own = [
        problemCondition(NO_MATCHING_NODE, names.length === 0, 'the node selector selects no node'),
        problemCondition(MISSING_PEER_CONFIGS, missing.length > 0, `there is no CiliumBGPPeerConfig ${listed(missing)}`),
        problemCondition(CONFLICTING, conflicting.length > 0, conflictMessage(conflicting, selections)),
      ];
      const bmp = problemCondition(BMP_UNSUPPORTED, config.bmp, 'bmpServers are kept and have no effect: Isthmus does not speak BMP');
      const followers = names.flatMap((name) => (selections.get(name)?.config === key ? (nodes.get(name) ?? []) : []));
      const lost = meshesWithoutReflector(config, followers);
      const message = `no node that follows this config is a reflector of ${listed(lost)}`;
      const rare = [bmp, problemCondition(NO_ROUTE_REFLECTOR, lost.length > 0, message)];
      return { always: [...own, ...rare.filter(isTrue)], ifPresent: rare.filter((each) => !isTrue(each)) };
    },
  });
}

/** Declares the conditions of peer configs. Key: the config's name. Secrets are named as `<namespace>/<name>`. */
export function declareBgpPeerConditions(
  store: Store,
  peerConfigs: Table<BgpPeerConfigRow>,
  secrets: Table<BgpSecretRow>,
  namespace: string,
): Table<WantedConditions> {
  const using = peerConfigs.index('secret', ({ secret }) => (secret === undefined ? [] : [`${namespace}/${secret}`]));
  return store.derive<WantedConditions>({
    name: 'bgp-peer-conditions',
    inputs: [input(peerConfigs, (key) => [key]), input(secrets, (key) => using.get(key))],
    compute: (key) => {
      const config = peerConfigs.get(key);
      if (!config) return undefined;
      if (config.secret === undefined) return { always: [], ifPresent: [problemCondition(MISSING_AUTH_SECRET, false, '')] };
      const name = `${namespace}/${config.secret}`;
      const secret = secrets.get(name);
      const message = secret ? `Secret ${name} has no ${PASSWORD_KEY}` : `there is no Secret ${name}`;
      return { always: [problemCondition(MISSING_AUTH_SECRET, !secret?.hasPassword, `${message}; sessions wait for it`)], ifPresent: [] };
    },
  });
}

/** Peers whose selector of route reflectors selects none: their nodes have no sessions at all. */
function meshesWithoutReflector({ instances }: BgpClusterConfigRow, nodes: readonly OperatorNodeRow[]): string[] {
  if (nodes.length === 0) return [];
  return instances.flatMap(({ peers = [] }) =>
    peers.flatMap(({ name, autoDiscovery }) => {
      const selector = autoDiscovery?.nodeMesh?.routeReflector?.nodeSelector;
      return selector && !nodes.some(({ labels }) => matchesSelector(selector, labels)) ? name : [];
    }),
  );
}

function isTrue({ status }: Condition): boolean {
  return status === 'True';
}

function references({ instances }: BgpClusterConfigRow): Set<string> {
  return new Set(instances.flatMap(({ peers = [] }) => peers.flatMap(({ peerConfigRef }) => peerConfigRef?.name ?? [])));
}

function conflictMessage(nodes: readonly string[], selections: Table<BgpSelection>): string {
  const configs = new Set(nodes.flatMap((node) => selections.get(node)?.others ?? []));
  const winners = new Set(nodes.flatMap((node) => selections.get(node)?.config ?? []));
  return `${listed([...winners, ...configs].sort())} select the same nodes, ${listed(nodes)}; each follows the first by name`;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return more > 0 ? `${names.slice(0, NAMES_SHOWN).join(', ')} and ${more} more` : names.join(', ');
}
