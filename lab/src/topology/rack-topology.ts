import { z } from 'zod';
import { asn, name, underlay } from './fields.ts';

/** A rack: a top-of-rack router (ToR) of its own, to which each of its nodes has two links. */
export const rackSchema = z.strictObject({
  name,
  /** What the ToR runs. */
  daemon: z.enum(['frr', 'bird']),
  asn,
  /** Where the links' /31 and /127 networks come from. */
  links: underlay,
});

/** What stands between the racks: a segment that all ToRs are on, and on it a route server, which speaks BGP and forwards nothing. */
export const routeServerSchema = z.strictObject({ name: name.default('rs'), asn, underlay });

interface Racked {
  readonly racks: readonly z.output<typeof rackSchema>[];
  readonly routeServer?: z.output<typeof routeServerSchema> | undefined;
  readonly clusters: readonly {
    readonly name: string;
    readonly rack?: string | undefined;
    readonly nodes: readonly { readonly name: string; readonly asn?: number | undefined }[];
  }[];
}

/** What is wrong with the racks of a topology, in words. */
export function rackComplaints({ racks, routeServer, clusters }: Racked): string[] {
  const nodes = clusters.flatMap((cluster) => cluster.nodes.map((node) => ({ id: `${cluster.name}/${node.name}`, asn: node.asn })));
  if (racks.length === 0) {
    const stray = clusters.filter(({ rack }) => rack !== undefined).map((cluster) => `${cluster.name} is in a rack, and there are none`);
    return [...stray, ...(routeServer === undefined ? [] : ['there is a route server, and no rack'])];
  }
  if (routeServer === undefined) return ['racks need a route server'];
  const named = new Set(racks.map((rack) => rack.name));
  const routers = [...racks, routeServer];
  const asns = [...routers, ...nodes].flatMap((one) => one.asn ?? []);
  return [
    ...twice([...routers, ...clusters].map((one) => one.name)).map((one) => `two of the routers and clusters are called ${one}`),
    ...clusters.filter(({ rack }) => rack === undefined || !named.has(rack)).map((one) => `${one.name} must name one of the racks`),
    ...nodes.filter((node) => node.asn === undefined).map(({ id }) => `${id} is in a rack and needs an asn`),
    ...twice(asns).map((one) => `two have the AS number ${one}`),
  ];
}

function twice<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}
