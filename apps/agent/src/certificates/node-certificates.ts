import { type Clock, type CodedError, LOG, type Logger, type Random } from '@isthmus/core';
import {
  ageOf,
  type CertificateAge,
  type CredentialEvent,
  CredentialKeeper,
  clientNames,
  FileCredential,
  type JoinApi,
  JoinClient,
} from '@isthmus/crypto';
import type { EtcdConfig } from '@isthmus/kvstore';

/** What {@link nodeCertificates} works with. */
export interface NodeCertificatesOptions {
  cluster: string;
  node: string;
  /** How the agent reaches its etcds: the files that are named there are kept. */
  etcds: { cluster: EtcdConfig; mesh: EtcdConfig | undefined };
  /** The cluster's join API, `host:port`; empty: not known. */
  joinApi: string;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Opens the join API; over HTTPS unless given. */
  connect?: (endpoint: string, trust: { caBundle: string }, credential: { certPem: string; keyPem: string }) => JoinApi;
}

/** Keeps the certificates of a node: one for each etcd, both for the one key that never leaves the node. Undefined where etcd asks for none. */
export function nodeCertificates(options: NodeCertificatesOptions): CredentialKeeper | undefined {
  const { cluster, node, etcds, joinApi, clock, random, log } = options;
  const { certFile, keyFile, trustedCaFile } = etcds.cluster;
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined) return undefined;
  const meshCert = etcds.mesh?.keyFile === keyFile ? etcds.mesh.certFile : undefined;
  if (joinApi === '') log.warn('join-api-endpoint is not set: the certificates of this node are not renewed');
  return new CredentialKeeper({
    name: node,
    commonNames: [clientNames.agent(node), ...(meshCert === undefined ? [] : [clientNames.local(cluster)])],
    files: new FileCredential({ certs: meshCert === undefined ? [certFile] : [certFile, meshCert], key: keyFile, ca: trustedCaFile }),
    connect:
      joinApi === ''
        ? undefined
        : ({ certificates, keyPem, caBundle }) => open(options, caBundle, { certPem: certificates[0] ?? '', keyPem }),
    request: async (api, csr) => {
      const { certificate, meshCertificate } = await api.node({ name: node, csr });
      return [certificate, meshCertificate].slice(0, meshCert === undefined ? 1 : 2);
    },
    recovery: `Enrol the node anew: "isthmus node token create ${node}" at the control plane, then "isthmus node enrol" here.`,
    clock,
    random,
    onEvent: (event) => note(log, event),
  });
}

/** The files that the node shows who it is by; undefined where etcd asks for no certificate. */
export function nodeCredential({ certFile, keyFile, trustedCaFile }: EtcdConfig): FileCredential | undefined {
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined) return undefined;
  return new FileCredential({ certs: [certFile], key: keyFile, ca: trustedCaFile });
}

/** A certificate of the node, as status shows it. */
export interface NodeCertificate {
  readonly name: string;
  readonly serial: string;
  readonly issuer: string;
  readonly notAfter: string;
  readonly secondsLeft: number;
  readonly state: CertificateAge;
  readonly problem?: ReturnType<CodedError['toJSON']>;
}

/** The node's certificates as they were at the last look. */
export function nodeCertificateStatuses(keeper: CredentialKeeper, now: number): NodeCertificate[] {
  return keeper.state.certificates.map((facts) => {
    const problem = keeper.problemOf(facts);
    return {
      name: facts.cn,
      serial: facts.serial,
      issuer: facts.issuer,
      notAfter: new Date(facts.notAfter).toISOString(),
      secondsLeft: Math.round((facts.notAfter - now) / 1000),
      state: ageOf(facts, now),
      ...(problem && { problem: problem.toJSON() }),
    };
  });
}

function open({ joinApi, connect }: NodeCertificatesOptions, caBundle: string, credential: { certPem: string; keyPem: string }): JoinApi {
  const endpoint = joinApi.startsWith('https://') ? joinApi : `https://${joinApi}`;
  return connect?.(endpoint, { caBundle }, credential) ?? new JoinClient({ endpoint, trust: { caBundle }, credential });
}

function note(log: Logger, event: CredentialEvent): void {
  if (event.type === 'problem') log.warn({ [LOG.error]: event.problem }, 'the certificates of this node need attention');
  else if (event.type === 'bundle') log.info('the cluster has changed its CAs');
  else
    log.info(
      { until: event.facts.map(({ notAfter }) => new Date(notAfter).toISOString()).join() },
      'the certificates of this node are renewed',
    );
}
