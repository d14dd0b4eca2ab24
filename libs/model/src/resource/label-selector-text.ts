import type { LabelSelector } from './label-selector.ts';

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number];

/** Up to the next comma that is in no parentheses. */
const REQUIREMENTS = /,(?![^(]*\))/;
/** An optional prefix, and a name. */
const KEY = `(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`;
const VALUE = `(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?`;
const EXISTS = new RegExp(String.raw`^\s*(!?)\s*(${KEY})\s*$`);
const EQUALS = new RegExp(String.raw`^\s*(${KEY})\s*(==?|!=)\s*(${VALUE})\s*$`);
const SET = new RegExp(String.raw`^\s*(${KEY})\s+(in|notin)\s+\(\s*(${VALUE}(?:\s*,\s*${VALUE})*)\s*\)\s*$`);

/** A label selector in the form that kubectl takes: `a=b,c!=d,e in (f,g),h,!i`. Undefined for what is none, the empty text too. */
export function parseLabelSelector(text: string): LabelSelector | undefined {
  const requirements = text.split(REQUIREMENTS).map(parseRequirement);
  return requirements.every((each) => each !== undefined) ? { matchExpressions: requirements } : undefined;
}

function parseRequirement(text: string): Requirement | undefined {
  const [exists, equals, set] = [EXISTS.exec(text), EQUALS.exec(text), SET.exec(text)];
  if (exists) return { key: exists[2]!, operator: exists[1] === '' ? 'Exists' : 'DoesNotExist' };
  if (equals) return { key: equals[1]!, operator: equals[2] === '!=' ? 'NotIn' : 'In', values: [equals[3]!] };
  if (set) return { key: set[1]!, operator: set[2] === 'in' ? 'In' : 'NotIn', values: set[3]!.split(',').map((value) => value.trim()) };
  return undefined;
}
