import { type Clock, CodedError } from '@isthmus/core';
import { certificateFacts } from './certificate-facts.ts';
import { clientNames } from './certificate-profile.ts';
import { CERTIFICATE_NAME, CERTIFICATE_WRONG_CA } from './pki.errors.ts';
import { verifyCertificate } from './verify-certificate.ts';

const NODE = /^spiffe:\/\/([^/]+)\/node\/([^/]+)$/;

/** By what the certificates of nodes are checked. */
export interface NodeTrust {
  /** CAs of a cluster's certificates, PEM; empty: the cluster is not known. */
  caBundleOf(cluster: string): Promise<string>;
  readonly clock: Clock;
}

/** The node that a certificate names, both its names alike; nobody has checked who signed it. @throws CodedError CERTIFICATE_NAME, CERTIFICATE_UNREADABLE */
export function nodeNamedBy(certPem: string): { readonly cluster: string; readonly node: string } {
  const { cn, sans } = certificateFacts(certPem);
  const [, cluster, node] = NODE.exec(sans.uris[0] ?? '') ?? [];
  if (cluster === undefined || node === undefined || cn !== clientNames.agent(node))
    throw new CodedError(CERTIFICATE_NAME, `the certificate of ${cn} names no node`, { object: cn });
  return { cluster, node };
}

/**
 * The node, `<cluster>/<node>`, that an agent's certificate is for. A cluster's CA speaks for its own nodes and for nobody else's.
 * @param usage what the certificate is shown for
 * @throws CodedError CERTIFICATE_NAME, and what {@link verifyCertificate} throws
 */
export async function nodeOfCertificate(certPem: string, usage: 'server' | 'client', { caBundleOf, clock }: NodeTrust): Promise<string> {
  const { cluster, node } = nodeNamedBy(certPem);
  const caBundle = await caBundleOf(cluster);
  if (caBundle === '')
    throw new CodedError(CERTIFICATE_WRONG_CA, `${node} is of cluster ${cluster}, whose CAs are not known here`, { object: node });
  verifyCertificate(certPem, { caBundle, clock, usage });
  return `${cluster}/${node}`;
}
