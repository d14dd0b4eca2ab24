import type { CertificateFacts, TokenKind } from '@isthmus/crypto';

/** Who calls. A token's holder is known only as the token's number. */
export type Principal =
  | { kind: 'admin'; name: string }
  | { kind: 'node'; name: string; certificate: CertificateFacts }
  /** A remote cluster, with the certificate that this one issued to it. */
  | { kind: 'remote'; name: string; certificate: CertificateFacts }
  | { kind: 'token'; id: string; tokenKind: TokenKind; subject: string | undefined; expires: number };

/** One text per principal, to tell whether two calls come from the same. */
export function principalKey(principal: Principal): string {
  return `${principal.kind}:${principal.kind === 'token' ? principal.id : principal.name}`;
}
