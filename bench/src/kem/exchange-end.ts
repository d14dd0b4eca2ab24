import { systemClock } from '@isthmus/core';
import { agentProfile, type CaKeyPair, type Credential, newKeyAndRequest, signRequest } from '@isthmus/crypto';

/** Of the cluster that all nodes are in. */
export const CLUSTER = 'east';
/** The node that is looked at, and the one that stands for all others: a machine answers for them all. */
export const [NODE, OTHERS] = ['n0', 'n1'];
/** The one that all agree on keys for. */
export const EPOCH = 7;

/** What the others' thread is told. */
export interface OthersOptions {
  readonly ca: CaKeyPair;
  /** Of the node that is looked at. */
  readonly nodeKey: string;
}

/** What it is asked to do: everyone asks the node, which listens at a port. */
export interface AskAll {
  readonly port: number;
  /** WireGuard's public keys of the others, base64. */
  readonly keys: readonly string[];
}

/** What it says: where it listens; later, that all have agreed. */
export type OthersSaid = { readonly port: number } | { readonly agreed: number };

/** A node's certificate. */
export async function credentialOf(ca: CaKeyPair, node: string): Promise<Credential> {
  const { keyPem, csrPem } = await newKeyAndRequest({ commonName: node });
  const certificate = await signRequest({ ca, csrPem, profile: agentProfile(CLUSTER, node), clock: systemClock });
  return { certificates: [certificate], keyPem, caBundle: ca.certPem };
}

/** Whom nodes believe. */
export function trustOf(ca: CaKeyPair) {
  return { clock: systemClock, caBundleOf: async (cluster: string): Promise<string> => (cluster === CLUSTER ? ca.certPem : '') };
}
