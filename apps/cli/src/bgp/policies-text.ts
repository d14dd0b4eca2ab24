import { renderTable } from '../output/print-table.ts';
import type { BgpPolicy } from './bgp-answers.ts';

/** AS number that nobody can have (RFC 7300): large communities of it are marks that do not leave the node. */
const MARK = 0xffff_ffff;

/** Policies as people read them: a line for each rule in the order in which they are asked, and one for what no rule matches. */
export function policiesText(policies: readonly BgpPolicy[], colour = false): string {
  const rows = policies.flatMap(({ instance, peer, type, policy }) => {
    const rules = policy.rules.map(({ match, action, set }) => [partText(match) || 'any', action, partText(set) || '-']);
    return [...rules, ['any other', policy.otherwise, '-']].map((rule) => [instance, peer, type, ...rule]);
  });
  return renderTable(['VROUTER', 'PEER', 'TYPE', 'MATCH', 'ACTION', 'SET'], rows, colour);
}

/** Each part of a match, or of what is set, as `name=value`. */
function partText(part: Readonly<Record<string, unknown>> | undefined): string {
  return Object.entries(part ?? {})
    .flatMap(([name, value]) => fieldText(name, value))
    .join(' ');
}

function fieldText(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [`${name}=${valueText(value)}`];
  // To replace by nothing is to take away the node's own marks, which is no news.
  if (value.length === 0) return [];
  const isCommunities = /communities$/i.test(name);
  const [marks, others] = [value.filter(isMark), value.filter((each) => !isMark(each))];
  const texts = others.map((each) => (isCommunities && typeof each === 'number' ? communityText(each) : valueText(each)));
  return [...marks.map((mark) => `routeSet=${mark.local2}`), ...(texts.length === 0 ? [] : [`${name}=${texts.join(',')}`])];
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (isLarge(value)) return `${value.global}:${value.local1}:${value.local2}`;
  if ('prefix' in value) return prefixText(value as PrefixRange);
  return Object.entries(value)
    .map(([name, each]) => `${name}:${String(each)}`)
    .join('/');
}

interface Large {
  readonly global: number;
  readonly local1: number;
  readonly local2: number;
}

interface PrefixRange {
  readonly prefix: string;
  readonly min?: number;
  readonly max?: number;
}

/** `10.0.0.0/8 (16..24)`, as in the reference of route policies. */
function prefixText({ prefix, min, max }: PrefixRange): string {
  return min === undefined && max === undefined ? prefix : `${prefix}(${min ?? max}..${max ?? min})`;
}

function isLarge(value: object): value is Large {
  return 'global' in value && 'local1' in value && 'local2' in value;
}

function isMark(value: unknown): value is Large {
  return typeof value === 'object' && value !== null && isLarge(value) && value.global === MARK && value.local1 === 0;
}

function communityText(community: number): string {
  return `${community >>> 16}:${community & 0xffff}`;
}
