import { parseCidr } from '@isthmus/net';
import { z } from 'zod';
import { parseCommunity } from '../bgp-community.ts';
import { asn, network, refuse, uint32 } from './fields.ts';

const community = z
  .string()
  .refine((text) => parseCommunity(text) !== undefined, 'must be a community: 65000:100, a number, 64512:1:2 or a well-known name');

const prefixSchema = z
  .looseObject({ cidr: network, minLength: z.int().min(0).max(128).optional(), maxLength: z.int().min(0).max(128).optional() })
  .superRefine(({ cidr, minLength, maxLength }, context) => {
    const { family, length } = parseCidr(cidr)!;
    const bits = family === 4 ? 32 : 128;
    if (minLength !== undefined && (minLength < length || minLength > bits))
      refuse(context, ['minLength'], `must be from ${length} to ${bits}, the lengths inside ${cidr}`);
    if (maxLength !== undefined && (maxLength < (minLength ?? length) || maxLength > bits))
      refuse(context, ['maxLength'], `must be from ${minLength ?? length} to ${bits}`);
  });

const ruleSchema = z
  .looseObject({
    action: z.enum(['Accept', 'Reject']),
    prefixes: z.array(prefixSchema).min(1).optional(),
    communities: z.array(community).min(1).optional(),
    asPathContains: asn.optional(),
    set: z
      .looseObject({ localPreference: uint32.optional(), med: uint32.optional(), addCommunities: z.array(community).optional() })
      .optional(),
  })
  .superRefine(({ action, set }, context) => {
    if (action === 'Reject' && set) refuse(context, ['set'], 'goes with action Accept only');
  });

/**
 * Which learned routes are taken. Rules are asked in their order and the first that matches decides; no match means Reject. What a rule names must
 * all match: one of its prefixes, all of its communities, the AS in the path.
 */
export const bgpRouteImportSchema = z
  .looseObject({ mode: z.enum(['None', 'All', 'Filtered']), rules: z.array(ruleSchema).optional() })
  .superRefine(({ mode, rules }, context) => {
    if (mode === 'Filtered' && (rules ?? []).length === 0) refuse(context, ['rules'], 'mode Filtered needs at least one');
    if (mode !== 'Filtered' && rules && rules.length > 0) refuse(context, ['rules'], 'only mode Filtered takes rules');
  });

/** Which routes are taken from a peer. */
export type BgpRouteImport = z.infer<typeof bgpRouteImportSchema>;
/** A rule of a {@link BgpRouteImport}. */
export type BgpImportRule = z.infer<typeof ruleSchema>;
/** Prefixes that a rule matches. */
export type BgpImportPrefix = z.infer<typeof prefixSchema>;

/**
 * Lengths of the prefixes inside `cidr` that an entry matches, both inclusive: that of `cidr` itself when neither bound is given, up to single
 * addresses when only the lower one is.
 */
export function importedLengths({ cidr, minLength, maxLength }: BgpImportPrefix): { min: number; max: number } {
  const { family, length } = parseCidr(cidr)!;
  if (maxLength !== undefined) return { min: minLength ?? length, max: maxLength };
  return minLength === undefined ? { min: length, max: length } : { min: minLength, max: family === 4 ? 32 : 128 };
}
