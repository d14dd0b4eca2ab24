import type { CertificateFacts } from '@isthmus/crypto';
import type { CheckIn } from './check-ins.ts';

/** Somebody who would be locked out if the former CA were retired. */
export interface Waiting {
  name: string;
  why: string;
}

/** Everybody who depends on the cluster's CA. */
export interface Dependents {
  /** Certificates of the control plane, by name; undefined: it cannot be read. */
  own: readonly { name: string; facts: CertificateFacts | undefined }[];
  /** Undefined while they are not known. */
  nodes: readonly { name: string; last: CheckIn | undefined }[] | undefined;
  remotes: readonly { name: string; last: CheckIn | undefined }[];
}

/** Who still needs the former CA: who does not trust the new one, or shows a certificate of another. */
export function waitingForCa(current: Pick<CertificateFacts, 'keyId' | 'fingerprintSha256'>, dependents: Dependents): Waiting[] {
  const { own, nodes, remotes } = dependents;
  const whyNot = (last: CheckIn | undefined): string | undefined => {
    if (!last) return 'has not called since this apiserver was started';
    if (!last.trusts.includes(current.fingerprintSha256)) return 'does not trust the new CA yet';
    return last.certificate.issuerKeyId === current.keyId ? undefined : 'still has a certificate of the former CA';
  };
  const callers = [
    ...(nodes ?? []).map(({ name, last }) => ({ name: `node ${name}`, why: whyNot(last) })),
    ...remotes.map(({ name, last }) => ({ name: `cluster ${name}`, why: whyNot(last) })),
  ];
  const certificates = own.map(({ name, facts }) => ({
    name: `certificate ${name}`,
    why: facts?.issuerKeyId === current.keyId ? undefined : 'is still one of the former CA',
  }));
  const unknown = nodes ? [] : [{ name: 'the list of nodes', why: 'has not been read yet' }];
  return [...unknown, ...certificates, ...callers].flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
}
