import { parseCidr, parseIp } from '@isthmus/net';
import { z } from 'zod';
import type { Resource, ResourceKind } from '../resource.ts';

/** A TCP, UDP or SCTP port. */
export const port = z.int().min(1).max(65535);
/** Transport protocols of ports. */
export const protocol = z.enum(['TCP', 'UDP', 'SCTP']);
/** An IP address of either family. */
export const address = z.union([z.ipv4(), z.ipv6()]);
/** A network of either family. */
export const cidr = z.union([z.cidrv4(), z.cidrv6()]);
/** Labels, annotations and the like. */
export const stringMap = z.record(z.string(), z.string());
/** Name of an entry of a list whose entries are told apart by name. */
export const entryName = z.string().min(1).max(255);
/** An unsigned number of 32 bits. */
export const uint32 = z.int().min(0).max(4_294_967_295);
/** An autonomous system number (RFC 6793) that one may have. */
export const asn = z.int().min(1).max(4_294_967_295);

/** Statements about an object, in `status.conditions`. */
export const conditions = z
  .array(
    z.looseObject({
      type: z.string(),
      status: z.string(),
      reason: z.string().optional(),
      message: z.string().optional(),
      lastTransitionTime: z.string().optional(),
    }),
  )
  .optional();

/** The address of a BGP peer; a link-local one may name its interface after a %. */
export const peerAddress = z.string().refine(isPeerAddress, 'must be an IPv4 or IPv6 address');

/** A network of either family; host bits may be set and count for nothing. Later rules of an object may rely on it: it ends the check. */
export const network = z
  .string()
  .refine((text) => parseCidr(text) !== undefined, { error: 'must be an IPv4 or IPv6 network, such as 10.0.0.0/24', abort: true });

/** Freezes a kind's entry. */
export function kind<T extends Resource>(entry: ResourceKind<T>): ResourceKind<T> {
  return Object.freeze(entry);
}

/** Refuses a list in which two entries have one name, as lists keyed by name do. */
export function namesDiffer(entries: readonly { name: string }[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { name }] of entries.entries()) {
    if (seen.has(name)) context.addIssue({ code: 'custom', path: [index, 'name'], message: `another entry is named ${name} too` });
    seen.add(name);
  }
}

/** Adds an issue about a field of the object that is being checked. */
export function refuse(context: z.RefinementCtx, path: readonly (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path: [...path], message });
}

function isPeerAddress(text: string): boolean {
  const [ip = '', zone] = text.split(/%(.*)/s, 2);
  const parsed = parseIp(ip);
  return parsed !== undefined && (zone === undefined || (zone !== '' && parsed.family === 6));
}
