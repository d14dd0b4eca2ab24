import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificates, certificateFacts, type RemoteStatus } from '@isthmus/crypto';
import { type ClusterPlan, clusterFiles, ETCD_PORT, JOIN_API_PORT, type Lab, MESH_ETCD_PORT, parseTopology, waitUntil } from '@isthmus/lab';
import { isthmus } from '../errors/error-lab.ts';

/** Life of every certificate in seconds: everything that happens in a year happens in this time. */
export const LIFETIME_S = 45;

/** Two clusters of one node each, with a client and a server. */
export const TOPOLOGY = parseTopology(
  `
manifests: [services.yaml]
clusters:
  - name: east
    id: 1
    underlay: { ipv4: 172.21.1.0/24, ipv6: "fd21:1::/64" }
    pods: { ipv4: 10.1.0.0/16, ipv6: "fd10:1::/104" }
    services: { ipv4: 10.101.0.0/16, ipv6: "fd10:101::/112" }
    config: { certificate-lifetime: "${LIFETIME_S}" }
    nodes:
      - { name: n1, pods: [{ name: a1, labels: { app: client } }, { name: a2, labels: { app: server } }] }
  - name: west
    id: 2
    underlay: { ipv4: 172.21.2.0/24, ipv6: "fd21:2::/64" }
    pods: { ipv4: 10.2.0.0/16, ipv6: "fd10:2::/104" }
    services: { ipv4: 10.102.0.0/16, ipv6: "fd10:102::/112" }
    config: { certificate-lifetime: "${LIFETIME_S}" }
    nodes:
      - { name: n1, pods: [{ name: a1, labels: { app: client } }, { name: a2, labels: { app: server } }] }
`,
  'the topology of the certificate tests',
);

/** A certificate on disk. */
export interface OnDisk {
  serial: string;
  issuer: string;
  notAfter: number;
}

/** Where every certificate of a cluster lies, by what it is for; the CA is not among them. */
export function certificateFiles(cluster: ClusterPlan): Record<string, string> {
  const { pki, clustermesh } = clusterFiles(cluster);
  const { clusterEtcd, meshEtcd, joinApi, clients } = pki;
  const peer = cluster.name === 'east' ? 'west' : 'east';
  const own = Object.entries(clients).map(([name, { cert }]) => [name, cert] as const);
  const nodes = cluster.nodes.flatMap(({ name, run }) => [
    [`agent ${name}`, join(run, 'isthmus/pki/agent.crt')] as const,
    [`agent ${name}, mesh etcd`, join(run, 'isthmus/pki/mesh.crt')] as const,
  ]);
  return {
    'cluster etcd': clusterEtcd.cert,
    'mesh etcd': meshEtcd.cert,
    'join API': joinApi.cert,
    [`at ${peer}`]: join(clustermesh, `${peer}.etcd-client.crt`),
    ...Object.fromEntries([...own, ...nodes]),
  };
}

/** What every certificate of a lab says, by cluster and use. */
export function certificatesOf(lab: Lab): Record<string, OnDisk> {
  const all = lab.plan.clusters.flatMap((cluster) =>
    Object.entries(certificateFiles(cluster)).map(([use, file]) => {
      const { serial, issuer, notAfter } = certificateFacts(readFileSync(file, 'utf8'), file);
      return [`${cluster.name}: ${use}`, { serial, issuer, notAfter }] as const;
    }),
  );
  return Object.fromEntries(all);
}

/** Serials that the servers of a cluster show now. */
export async function shownBy(lab: Lab, cluster: ClusterPlan): Promise<Record<string, string>> {
  const script = `
    const tls = require('node:tls');
    const fs = require('node:fs');
    const [ca, cert, key, ...ports] = process.argv.slice(1);
    const read = (file) => fs.readFileSync(file);
    for (const port of ports) {
      const options = { host: '127.0.0.1', port, ca: read(ca), cert: read(cert), key: read(key) };
      const socket = tls.connect(options, () => {
        console.log(port, socket.getPeerCertificate().serialNumber.toLowerCase());
        socket.destroy();
      });
    }`;
  const { ca, clients } = clusterFiles(cluster).pki;
  const ports = { 'cluster etcd': ETCD_PORT, 'mesh etcd': MESH_ETCD_PORT, 'join API': JOIN_API_PORT };
  const argv = [process.execPath, '-e', script, ca.cert, clients.root.cert, clients.root.key, ...Object.values(ports).map(String)];
  const { stdout } = await lab.exec(cluster.control, argv);
  const serials = new Map(stdout.split('\n').map((line) => line.split(' ') as [string, string]));
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, serials.get(String(port)) ?? 'none']));
}

/** What `clustermesh status -o json` says of the one remote. */
export interface MeshStatus extends Certificates {
  ready: boolean;
  remotes: [RemoteStatus];
}

/** A cluster's own view of the mesh. */
export async function meshStatus(lab: Lab, cluster: string): Promise<MeshStatus> {
  const { stdout, stderr } = await isthmus(lab, cluster, ['clustermesh', 'status', '--context', cluster, '-o', 'json']);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as MeshStatus;
}

/** A cluster's view of its one remote once the condition holds; until then its apiserver may be starting. */
export function remoteWhen(lab: Lab, cluster: string, what: string, holds: (remote: RemoteStatus) => boolean): Promise<RemoteStatus> {
  let last: RemoteStatus | undefined;
  const look = async (): Promise<RemoteStatus | undefined> => {
    last = await meshStatus(lab, cluster).then(
      ({ remotes }) => remotes[0],
      () => undefined,
    );
    return last && holds(last) ? last : undefined;
  };
  return waitUntil(look, {
    what: `${cluster} to say that ${what}`,
    timeoutMs: 60_000,
    everyMs: 200,
    onTimeout: () => JSON.stringify(last),
  });
}

/** Waits until both clusters are ready for each other. */
export async function bothReady(lab: Lab): Promise<void> {
  for (const cluster of ['east', 'west'])
    await remoteWhen(
      lab,
      cluster,
      'its remote is ready and no certificate needs attention',
      ({ ready, certificateHere, certificateThere }) => {
        return ready && !certificateHere?.problem && !certificateThere?.problem;
      },
    );
}

/** Lines of the log of a process that say that a connection was lost or refused. */
export function brokenConnections(lab: Lab, ids: readonly string[]): string[] {
  return ids.flatMap((id) =>
    readFileSync(lab.processes.get(id).log, 'utf8')
      .split('\n')
      .filter((line) => /"(not connected|etcd does not answer|etcd connection lost|etcd cannot be reached)"/.test(line)),
  );
}
