import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError, messageOf } from '@isthmus/core';
import { type Cidr, parseCidr } from '@isthmus/net';
import { parse } from 'yaml';
import { z } from 'zod';
import { LAB_TOPOLOGY } from '../lab.errors.ts';
import { asn, dual, name, underlay } from './fields.ts';
import { rackComplaints, rackSchema, routeServerSchema } from './rack-topology.ts';

const settings = z.record(z.string(), z.coerce.string()).default({});

/** A pod: its name, or its name and its labels; without labels it is `app=<name>`. */
const podSchema = z
  .union([name, z.strictObject({ name, labels: z.record(z.string(), z.string()) })])
  .transform((pod) => (typeof pod === 'string' ? { name: pod, labels: { app: pod } } : pod));

const nodeSchema = z.strictObject({
  name,
  pods: z.array(podSchema).default([]),
  config: settings,
  /** AS number of a node in a rack: one of its own, so that its ToR lets its routes through to every other node. */
  asn: asn.optional(),
});

const clusterSchema = z.strictObject({
  name,
  id: z.number().int().min(1).max(511),
  /**
   * Network of the nodes and the control plane; at least a /25. The router is host 1, the control plane 10, nodes from 11 on. In a rack they
   * share no segment: each has its address to itself.
   */
  underlay,
  /** The rack that all its nodes and the control plane are in. */
  rack: name.optional(),
  /** Pools that nodes get their pod CIDRs from. */
  pods: dual,
  /** Ranges of cluster IPs. */
  services: dual,
  /** Pool of addresses of LoadBalancer services, in a cluster that announces them. */
  loadBalancers: dual.optional(),
  nodes: z.array(nodeSchema).min(1).max(100),
  /** What each of the cluster's etcds may hold; few, where a test fills one. */
  etcdQuotaMiB: z.number().int().min(4).max(8192).default(256),
  /** Settings for every process of the cluster, by configuration key; a node's own settings win. */
  config: settings,
});

/** What the checks of the keys' rotation send, in all. */
const loadSchema = z.strictObject({
  /** Packets a second, each of which is answered. */
  pps: z.number().int().min(1).max(1_000_000).default(10_000),
  /** Kilobits a second of each TCP stream beside them. */
  streamKbps: z.number().int().min(1).max(1_000_000).default(5_000),
});

const topologyShape = z.strictObject({
  clusters: z.array(clusterSchema).min(1).max(50),
  /** Without racks a router joins the clusters' networks. */
  racks: z.array(rackSchema).max(20).default([]),
  routeServer: routeServerSchema.optional(),
  load: loadSchema.prefault({}),
  /** Whether every cable is listened to all the time where all nodes encrypt. Looking at each packet takes time, which a benchmark would count. */
  sniffers: z.boolean().default(true),
  /** Files in lab/manifests that are applied to every cluster. */
  manifests: z
    .array(z.string().regex(/^[a-z][a-z0-9-]*(\/[a-z][a-z0-9-]*)?\.yaml$/, 'must be the name of a file in lab/manifests'))
    .default([]),
});

const topologySchema = topologyShape.superRefine((topology, context) => {
  const { clusters } = topology;
  const complain = (message: string): void => context.addIssue({ code: 'custom', path: ['clusters'], message });
  for (const twice of repeated(clusters.map((cluster) => cluster.name))) complain(`two clusters are called ${twice}`);
  for (const twice of repeated(clusters.map((cluster) => cluster.id))) complain(`two clusters have id ${twice}`);
  for (const [a, b] of overlapping(networksOf(topology))) complain(`the underlays of ${a} and ${b} overlap`);
  for (const complaint of rackComplaints(topology)) complain(complaint);
  for (const cluster of clusters) {
    const places = ['control', ...cluster.nodes.flatMap((node) => [node.name, ...node.pods.map((pod) => pod.name)])];
    for (const twice of repeated(places)) complain(`cluster ${cluster.name} has two places called ${twice}`);
  }
});

/** A lab's shape, as its file says it. */
export type Topology = z.output<typeof topologySchema>;
/** See {@link Topology}. */
export type Load = Topology['load'];
/** One cluster of a {@link Topology}. */
export type ClusterTopology = Topology['clusters'][number];

function repeated<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.indexOf(value) !== index);
}

interface Named {
  readonly name: string;
  readonly underlay: { readonly ipv4: string; readonly ipv6: string };
}

/** Every network that routers or nodes have addresses in. */
function networksOf({ clusters, racks, routeServer }: z.output<typeof topologyShape>): Named[] {
  const links = racks.map((rack) => ({ name: rack.name, underlay: rack.links }));
  return [...clusters, ...links, ...(routeServer ? [routeServer] : [])];
}

function overlapping(networks: readonly Named[]): [string, string][] {
  const overlap = (a: string, b: string): boolean => parseCidr(b) !== undefined && parseCidr(a)?.overlaps(parseCidr(b) as Cidr) === true;
  return networks.flatMap((a, index) =>
    networks
      .slice(index + 1)
      .filter((b) => overlap(a.underlay.ipv4, b.underlay.ipv4) || overlap(a.underlay.ipv6, b.underlay.ipv6))
      .map((b): [string, string] => [a.name, b.name]),
  );
}

/**
 * Reads a topology.
 * @param text YAML
 * @param source what to call it in errors
 * @throws CodedError LAB_TOPOLOGY naming the field
 */
export function parseTopology(text: string, source: string): Topology {
  const result = topologySchema.safeParse(parseYaml(text, source));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new CodedError(LAB_TOPOLOGY, `${source}: ${issue?.path.join('.') || 'document'}: ${issue?.message}`, { object: source });
}

function parseYaml(text: string, source: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new CodedError(LAB_TOPOLOGY, `${source}: ${messageOf(cause)}`, { object: source, cause });
  }
}

/**
 * Loads `lab/topologies/<nameOrPath>.yaml`, or the file itself when the argument holds a slash or ends in `.yaml`.
 * @throws CodedError LAB_TOPOLOGY
 */
export function loadTopology(nameOrPath: string): Topology {
  const isPath = nameOrPath.includes('/') || nameOrPath.endsWith('.yaml');
  const path = isPath ? nameOrPath : fileURLToPath(new URL(`../../topologies/${nameOrPath}.yaml`, import.meta.url));
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CodedError(LAB_TOPOLOGY, `cannot read ${isPath ? path : `lab/topologies/${nameOrPath}.yaml`}: ${messageOf(cause)}`, {
      object: nameOrPath,
      cause,
    });
  }
  return parseTopology(text, nameOrPath);
}
