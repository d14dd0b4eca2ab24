import { parseCidr } from '@isthmus/net';
import { z } from 'zod';

/** A name of a cluster, node, pod or rack. */
export const name = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/, 'must be lower-case letters, digits and dashes, a letter first, at most 32');

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, 'must be a network such as 10.1.0.0/16');

/** A network of each family. */
export const dual = z.strictObject({ ipv4: cidr, ipv6: cidr });

/** Room for the router, the control plane and a hundred nodes. */
export const underlay = dual.refine(
  (both) => [both.ipv4, both.ipv6].every((text) => (parseCidr(text)?.size ?? 0n) >= 128n),
  'must have room for 128 hosts',
);

/** The number of an autonomous system, of four octets (RFC 6793). */
export const asn = z.number().int().min(1).max(4_294_967_295);
