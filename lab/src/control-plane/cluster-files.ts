import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterPkiPaths, clusterPkiPaths, type PairPaths } from '@isthmus/crypto';
import { stringify } from 'yaml';
import type { ClusterPlan } from '../topology/plan.ts';

/** Client port of the cluster etcd; the peer port is the next one. */
export const ETCD_PORT = 2379;
/** The same of the mesh etcd, which shares the control plane's addresses with it. */
export const MESH_ETCD_PORT = 2479;
/** Port of the join API. */
export const JOIN_API_PORT = 4280;

/** Where a cluster's files lie on the machine, outside of any node. */
export interface ClusterFiles {
  readonly pkiDir: string;
  readonly pki: ClusterPkiPaths;
  readonly etcdData: string;
  readonly meshEtcdData: string;
  /** Folder of the remote clusters' etcd client files, which the apiserver reads and the join API writes. */
  readonly clustermesh: string;
  /** Folders of settings, one per process. */
  readonly config: string;
  /** Private state of a process of the control plane. */
  readonly state: string;
}

/** Names the files of a cluster; makes nothing. */
export function clusterFiles(cluster: ClusterPlan): ClusterFiles {
  const at = (name: string): string => join(cluster.control.data, name);
  return {
    pkiDir: at('pki'),
    pki: clusterPkiPaths(at('pki'), cluster.name),
    etcdData: at('etcd'),
    meshEtcdData: at('mesh-etcd'),
    clustermesh: at('clustermesh'),
    config: at('config'),
    state: at('state'),
  };
}

/** Where the join API answers: `host:port`. */
export function joinApiAddress(cluster: ClusterPlan): string {
  return `${cluster.control.addresses.ipv4}:${JOIN_API_PORT}`;
}

/** `https://` URLs of a port of the control plane, IPv4 first. */
export function controlUrls(cluster: ClusterPlan, port: number): string[] {
  const { ipv4, ipv6 } = cluster.control.addresses;
  return [`https://${ipv4}:${port}`, `https://[${ipv6}]:${port}`];
}

/** Writes an etcd client file (Cilium's format) for one user, and answers its path. */
export function writeEtcdClientFile(path: string, options: { endpoints: readonly string[]; ca: string; client: PairPaths }): string {
  const { endpoints, ca, client } = options;
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, stringify({ endpoints, 'trusted-ca-file': ca, 'cert-file': client.cert, 'key-file': client.key }));
  return path;
}

/** Writes settings as a mounted ConfigMap shows them: a file per key. Answers the folder. */
export function writeConfigDir(folder: string, settings: Readonly<Record<string, string>>): string {
  mkdirSync(folder, { recursive: true });
  for (const [key, value] of Object.entries(settings)) writeFileSync(join(folder, key), value);
  return folder;
}
