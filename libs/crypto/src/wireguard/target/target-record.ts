import { CodedError } from '@isthmus/core';
import type { WireGuardTargetRow } from '@isthmus/model';
import { z } from 'zod';
import { type Epoch, isEpoch } from '../epoch.ts';
import { WIREGUARD_TARGET } from '../wireguard.errors.ts';

/** What the keys of all clusters' targets begin with. */
export const TARGET_PREFIX = 'cilium/state/isthmus/wireguard-target/v1/';

const epoch = z.number().refine(isEpoch, 'is no epoch');
const targetSchema = z.object({
  cluster: z.string().min(1),
  clusterID: z.number(),
  target: epoch,
  startedAt: z.string(),
  by: z.string().default(''),
  reason: z.string().default(''),
});
const nodeSchema = z.object({ epochs: z.array(z.object({ epoch })) });

/** Where a cluster's target lies in its etcd. */
export function targetKey(cluster: string): string {
  return `${TARGET_PREFIX}${cluster}/target`;
}

/** What the keys of a cluster's nodes begin with; the node's name follows. */
export function nodeKeysPrefix(cluster: string): string {
  return `cilium/state/isthmus/wireguard/v1/${cluster}/`;
}

/** A target as it is written. */
export function encodeTarget({ cluster, clusterId, target, startedAt, by, reason }: WireGuardTargetRow): string {
  return JSON.stringify({ cluster, clusterID: clusterId, target, startedAt, by, reason });
}

/** Reads a target. @throws CodedError WIREGUARD_TARGET */
export function decodeTarget(key: string, bytes: Uint8Array): WireGuardTargetRow {
  const read = targetSchema.safeParse(jsonOf(bytes));
  if (read.success && key === targetKey(read.data.cluster)) {
    const { clusterID, ...row } = read.data;
    return { ...row, clusterId: clusterID };
  }
  const issue = read.error?.issues[0];
  const why = issue ? `${issue.path.join('.') || 'it'}: ${issue.message}` : `it is that of ${read.data?.cluster}`;
  throw new CodedError(WIREGUARD_TARGET, `the target cannot be read: ${why}`, { object: key });
}

/** The newest epoch of a node's record; 0 when it has none, or cannot be read. */
export function newestEpochOf(bytes: Uint8Array): Epoch {
  const read = nodeSchema.safeParse(jsonOf(bytes));
  return Math.max(0, ...(read.data?.epochs ?? []).map(({ epoch }) => epoch));
}

/** Undefined for what is no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
