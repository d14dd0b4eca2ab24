import { join } from 'node:path';
import { systemClock } from '@isthmus/core';
import {
  agentProfile,
  CaDirectory,
  newKeyAndRequest,
  type PairPaths,
  readCertificateFile,
  readKeyFile,
  signRequest,
  writeCertificateFile,
  writeKeyFile,
} from '@isthmus/crypto';
import {
  clusterFiles,
  controlUrls,
  ETCD_PORT,
  MESH_ETCD_PORT,
  writeConfigDir,
  writeEtcdClientFile,
} from '../control-plane/cluster-files.ts';
import { agentSettings } from '../control-plane/cluster-settings.ts';
import { getJson } from '../machine/http-get.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { appCommand } from '../toolchain.ts';
import type { ClusterPlan, NodePlace } from '../topology/plan.ts';

const READY_TIMEOUT_MS = 60_000;
/** Where an agent's files lie, as it sees them. */
const INSIDE = '/run/isthmus';

/** Id of a node's agent among the lab's processes. */
export function agentId(node: NodePlace): string {
  return `${node.id}/agent`;
}

/** The agent's socket, as the machine sees it. */
export function agentSocket(node: NodePlace): string {
  return join(outside(node), 'isthmus.sock');
}

/** Writes what an agent needs into its node and starts it. */
export async function startAgent(supervisor: Supervisor, cluster: ClusterPlan, node: NodePlace): Promise<void> {
  await writeCredentials(cluster, node);
  writeConfigDir(join(outside(node), 'config'), agentSettings(cluster, node));
  supervisor.start({ id: agentId(node), place: node, argv: appCommand('agent', ['--config-dir', join(INSIDE, 'config')]) });
}

/** Waits until an agent serves pods. */
export async function waitForAgent(supervisor: Supervisor, node: NodePlace): Promise<void> {
  const ready = async (): Promise<boolean> =>
    ((await getJson(agentSocket(node), '/v1/status')) as { ready?: boolean } | undefined)?.ready === true;
  await supervisor.waitReady(agentId(node), ready, READY_TIMEOUT_MS);
}

function outside(node: NodePlace): string {
  return join(node.run, 'isthmus');
}

/** The key is made here and stays in the node's folder; the cluster's CA signs a request for it. */
async function writeCredentials(cluster: ClusterPlan, node: NodePlace): Promise<void> {
  const { pki, pkiDir } = clusterFiles(cluster);
  const ca = new CaDirectory(join(pkiDir, 'ca'));
  const profile = agentProfile(cluster.name, node.name);
  const { keyPem, csrPem } = await newKeyAndRequest({ commonName: profile.commonName });
  const certPem = await signRequest({ ca: await ca.signer(), csrPem, profile, clock: systemClock });
  await writeCertificateFile(join(outside(node), 'pki', 'ca.crt'), await ca.bundle());
  await writePair(node, 'agent', certPem, keyPem);
  await writePair(node, 'local', await readCertificateFile(pki.clients.local.cert), await readKeyFile(pki.clients.local.key));
  writeClientFile(node, 'etcd.yaml', controlUrls(cluster, ETCD_PORT), 'agent');
  writeClientFile(node, 'mesh-etcd.yaml', controlUrls(cluster, MESH_ETCD_PORT), 'local');
}

async function writePair(node: NodePlace, name: string, certPem: string, keyPem: string): Promise<void> {
  await writeKeyFile(join(outside(node), 'pki', `${name}.key`), keyPem);
  await writeCertificateFile(join(outside(node), 'pki', `${name}.crt`), certPem);
}

function writeClientFile(node: NodePlace, file: string, endpoints: readonly string[], name: string): void {
  const client: PairPaths = { cert: join(INSIDE, 'pki', `${name}.crt`), key: join(INSIDE, 'pki', `${name}.key`) };
  writeEtcdClientFile(join(outside(node), file), { endpoints, ca: join(INSIDE, 'pki/ca.crt'), client });
}
