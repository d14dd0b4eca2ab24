import { spanText } from '../output/ago.ts';
import { type Cell, renderTable } from '../output/print-table.ts';
import type { BgpRefusedRoute, BgpRoute, BgpRouteKind } from './bgp-answers.ts';

/** A route, and why it is not installed where it is the best and is not. */
export interface ShownRoute extends BgpRoute {
  readonly refused?: string;
}

/** Reasons for which the agent does not install a route, in words. */
const REASONS: Readonly<Record<string, string>> = {
  'own-pod-cidr': "it lies in this node's own pod CIDRs",
  martian: 'it is for addresses that no neighbour can be the way to',
  'unreachable-next-hop': 'its next hop cannot be reached',
};

const ORIGINS: Readonly<Record<string, string>> = { igp: 'i', egp: 'e', incomplete: '?' };

/** Names of attributes as they are shown, in their order; others follow under their own names. */
const NAMES: Readonly<Record<string, string>> = {
  origin: 'Origin',
  asPath: 'AsPath',
  localPref: 'LocalPref',
  med: 'Med',
  communities: 'Communities',
  largeCommunities: 'LargeCommunities',
  extendedCommunities: 'ExtendedCommunities',
  atomicAggregate: 'AtomicAggregate',
  aggregator: 'Aggregator',
  originatorId: 'OriginatorId',
  clusterList: 'ClusterList',
  linkLocalNextHop: 'LinkLocalNextHop',
};
/** Has a column of its own. */
const NEXT_HOP = 'nextHop';

/** Adds to routes why they are not installed. */
export function withRefusals(routes: readonly BgpRoute[], refused: readonly BgpRefusedRoute[]): ShownRoute[] {
  const reasons = new Map(refused.map(({ prefix, reason }) => [prefix, reason]));
  return routes.map((route) => {
    const reason = route.best ? reasons.get(route.prefix) : undefined;
    return { ...route, ...(reason !== undefined && { refused: reason }) };
  });
}

/** Routes as people read them. */
export function routesText(node: string, kind: BgpRouteKind, routes: readonly ShownRoute[], colour = false): string {
  const headings = ['NODE', 'VROUTER', ...(kind === 'available' ? [] : ['PEER']), 'PREFIX', 'NEXT-HOP', 'AGE'];
  const rows = routes.map((route): Cell[] => [
    node,
    route.instance,
    ...(kind === 'available' ? [] : [route.peer]),
    route.prefix,
    String(route.attributes[NEXT_HOP] || '-'),
    route.ageSeconds === undefined ? '-' : spanText(route.ageSeconds),
    ...(kind === 'received' ? [stateCell(route)] : []),
    attributesText(route.attributes),
  ]);
  const table = renderTable([...headings, ...(kind === 'received' ? ['STATE'] : []), 'ATTRS'], rows, colour);
  const notes = [...new Set(routes.flatMap(({ prefix, refused }) => (refused === undefined ? [] : [refusalText(prefix, refused)])))];
  return notes.length === 0 ? table : `${table}\n${notes.join('')}`;
}

/** The attributes in braces: `[{Origin: i} {AsPath: 65001}]`. */
export function attributesText(attributes: Readonly<Record<string, unknown>>): string {
  const known = Object.keys(NAMES).filter((name) => attributes[name] !== undefined);
  const others = Object.keys(attributes).filter((name) => NAMES[name] === undefined && name !== NEXT_HOP);
  return `[${[...known, ...others].flatMap((name) => attributeText(name, attributes[name])).join(' ')}]`;
}

function attributeText(name: string, value: unknown): string[] {
  // The path of an own route is empty.
  if (value === '') return [];
  if (name === 'origin') return [`{Origin: ${ORIGINS[String(value)] ?? value}}`];
  const title = NAMES[name] ?? name;
  return value === true ? [`{${title}}`] : [`{${title}: ${valueText(value)}}`];
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(' ');
  return typeof value === 'object' && value !== null ? Object.values(value).map(String).join(' ') : String(value);
}

function stateCell({ best, accepted, stale, refused }: ShownRoute): Cell {
  const stateOf = refused !== undefined ? 'refused' : best ? 'best' : accepted ? 'accepted' : 'rejected';
  const tone = stateOf === 'best' ? 'good' : stateOf === 'refused' ? 'bad' : stateOf === 'rejected' ? 'doubtful' : undefined;
  const text = stale ? `${stateOf}, stale` : stateOf;
  return tone === undefined ? text : { text, tone };
}

function refusalText(prefix: string, reason: string): string {
  return `${prefix} is not installed: ${REASONS[reason] ?? reason} (${reason})\n`;
}
