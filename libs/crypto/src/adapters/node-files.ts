import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { NodeCredentials } from '../join/enrol-node.ts';
import { writeCertificateFile, writeFileAtomically, writeKeyFile } from './key-file.ts';

/** The files of a node that is enrolled. */
export interface NodeFiles {
  readonly ca: string;
  readonly key: string;
  /** Certificate for the cluster etcd and for the join API. */
  readonly cert: string;
  /** Certificate for the mesh etcd. */
  readonly meshCert: string;
  /** etcd client files, for the agent's settings `etcd-config` and `mesh-etcd-config`. */
  readonly etcdConfig: string;
  readonly meshEtcdConfig: string;
}

/** Names the files; makes nothing. */
export function nodeFiles(dir: string): NodeFiles {
  const at = (name: string): string => join(resolve(dir), name);
  return {
    ca: at('ca.crt'),
    key: at('agent.key'),
    cert: at('agent.crt'),
    meshCert: at('mesh.crt'),
    etcdConfig: at('etcd-config.yaml'),
    meshEtcdConfig: at('mesh-etcd-config.yaml'),
  };
}

/**
 * Writes a node's certificates and etcd client files, the latter last: an agent that sees them finds everything that they name. The folder
 * is made 0700 when it is missing; the key and the client files are 0600.
 */
export async function writeNodeFiles(dir: string, credentials: NodeCredentials): Promise<NodeFiles> {
  const files = nodeFiles(dir);
  await writeCertificateFile(files.ca, credentials.caBundle);
  await writeKeyFile(files.key, credentials.keyPem);
  await writeCertificateFile(files.cert, credentials.certificate);
  await writeCertificateFile(files.meshCert, credentials.meshCertificate);
  await writeFileAtomically(files.etcdConfig, clientFile(files, files.cert, credentials.clusterEtcd.endpoints), 0o600);
  await writeFileAtomically(files.meshEtcdConfig, clientFile(files, files.meshCert, credentials.meshEtcd.endpoints), 0o600);
  return files;
}

function clientFile(files: NodeFiles, cert: string, endpoints: readonly string[]): string {
  return stringify({ endpoints, 'trusted-ca-file': files.ca, 'cert-file': cert, 'key-file': files.key });
}
