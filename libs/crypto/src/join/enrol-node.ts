import type { Clock } from '@isthmus/core';
import { spiffeNodeId } from '../pki/certificate-profile.ts';
import { newKeyAndRequest } from '../pki/certificate-request.ts';
import { verifyCertificate } from '../pki/verify-certificate.ts';
import type { JoinApi } from './join-api.ts';
import type { NodeResponse } from './join-wire.ts';

/** What a node's agent needs to reach both etcds. */
export interface NodeCredentials extends NodeResponse {
  /** The key of both certificates; made here, never sent. */
  keyPem: string;
}

/**
 * Gets a node's certificates for a new key, of which only the request is sent. The API is called with a node token, or with the current
 * certificate.
 * @throws CodedError whatever the server refused with, or CERTIFICATE_* when its answer does not hold
 */
export async function enrolNode(api: JoinApi, options: { cluster: string; node: string; clock: Clock }): Promise<NodeCredentials> {
  const { cluster, node, clock } = options;
  const { keyPem, csrPem } = await newKeyAndRequest({ commonName: `agent-${node}`, uris: [spiffeNodeId(cluster, node)] });
  const answer = await api.node({ name: node, csr: csrPem });
  const expected = { caBundle: answer.caBundle, clock, usage: 'client', keyPem } as const;
  verifyCertificate(answer.certificate, { ...expected, commonName: `agent-${node}` });
  verifyCertificate(answer.meshCertificate, { ...expected, commonName: `local-${cluster}` });
  return { ...answer, keyPem };
}
