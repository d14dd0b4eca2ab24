import type { Policy } from '@isthmus/bgp';
import { SPEAKER } from './who.ts';

/** Local preference that every speaker under test gives what it accepts. */
export const LOCAL_PREF = 200;
/** Lengths of prefixes that every speaker under test accepts. */
export const LENGTHS = { min: 8, max: 32 } as const;
/** Second half of the community whose routes no speaker under test tells on; the first is its AS number. No route has it. */
export const HIDDEN = 666;

/** A prefix list, and a local preference for what it lets in. */
export const IMPORT_POLICY: Policy = {
  rules: [{ match: { prefixes: [{ prefix: '0.0.0.0/0', ...LENGTHS }] }, action: 'accept', set: { localPref: LOCAL_PREF } }],
  otherwise: 'reject',
};

/** Everything but what has a community. */
export const EXPORT_POLICY: Policy = {
  rules: [{ match: { communities: [SPEAKER.asn * 65_536 + HIDDEN] }, action: 'reject' }],
  otherwise: 'accept',
};
