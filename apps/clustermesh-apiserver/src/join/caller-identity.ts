import { type Clock, CodedError, isCoded, messageOf } from '@isthmus/core';
import {
  CERTIFICATE_EXPIRED,
  CERTIFICATE_REVOKED,
  type CertificateFacts,
  certificateFacts,
  clientNames,
  spiffeNodeId,
  type TokenLedger,
  verifyCertificate,
} from '@isthmus/crypto';
import type { IssuedLedger } from '../certificates/issued-ledger.ts';
import type { Refusals } from '../certificates/refusals.ts';
import { JOIN_FORBIDDEN, JOIN_UNAUTHENTICATED } from './join.errors.ts';
import type { LocalCluster, Signer } from './ports.ts';
import type { Principal } from './principal.ts';

/** What came with a call. The TLS layer has proved possession of the certificate's key and nothing more. */
export interface Credentials {
  /** The `Authorization` header. */
  authorization: string | undefined;
  /** The client certificate as PEM. */
  certificatePem: string | undefined;
}

/** What a {@link CallerIdentity} works with. */
export interface CallerIdentityOptions {
  local: LocalCluster;
  signer: Signer;
  tokens: TokenLedger;
  ledger: IssuedLedger;
  refusals: Refusals;
  clock: Clock;
}

/** Finds out who calls. A token counts before a certificate: an agent whose certificate lapsed may come with both. */
export class CallerIdentity {
  readonly #ports: CallerIdentityOptions;

  constructor(options: CallerIdentityOptions) {
    this.#ports = options;
  }

  /**
   * @throws CodedError JOIN_UNAUTHENTICATED, CERTIFICATE_REVOKED, JOIN_FORBIDDEN (a good certificate of somebody who has no business here),
   *   TOKEN_UNKNOWN
   */
  async identify(credentials: Credentials): Promise<Principal> {
    if (credentials.authorization !== undefined) return await this.#byToken(credentials.authorization);
    if (credentials.certificatePem !== undefined) return await this.#byCertificate(credentials.certificatePem);
    throw new CodedError(JOIN_UNAUTHENTICATED, 'neither a client certificate nor a token came with the call');
  }

  async #byToken(authorization: string): Promise<Principal> {
    const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (text === undefined) throw new CodedError(JOIN_UNAUTHENTICATED, 'the Authorization header is not "Bearer <token>"');
    const { id, kind, subject, expires } = await this.#ports.tokens.identify(text);
    return { kind: 'token', id, tokenKind: kind, subject, expires };
  }

  async #byCertificate(pem: string): Promise<Principal> {
    const { name: cluster } = await this.#ports.local.describe();
    const facts = await this.#verified(pem);
    if (facts.cn === clientNames.admin(cluster)) return { kind: 'admin', name: facts.cn };
    const node = nodeOf(cluster, facts);
    if (node !== undefined) return { kind: 'node', name: node, certificate: facts };
    const remote = afterPrefix(facts.cn, clientNames.remote(''));
    if (remote !== undefined) return { kind: 'remote', name: remote, certificate: facts };
    throw new CodedError(JOIN_FORBIDDEN, `${facts.cn} has no part in the join API`, { object: facts.cn });
  }

  async #checkRevoked({ cn, serial }: CertificateFacts): Promise<void> {
    const at = await this.#ports.ledger.revokedAt(serial);
    if (at === undefined) return;
    const { name } = await this.#ports.local.describe();
    throw new CodedError(CERTIFICATE_REVOKED, `${name} revoked ${cn} (serial ${serial}) at ${new Date(at).toISOString()}`, { object: cn });
  }

  /** That a certificate was withdrawn is said also when it has expired meanwhile. */
  async #good(pem: string): Promise<CertificateFacts> {
    const { signer, clock } = this.#ports;
    try {
      const facts = verifyCertificate(pem, { caBundle: await signer.caBundle(), clock, usage: 'client' });
      await this.#checkRevoked(facts);
      return facts;
    } catch (error) {
      if (isCoded(error, CERTIFICATE_EXPIRED)) await this.#checkRevoked(certificateFacts(pem));
      throw error;
    }
  }

  async #verified(pem: string): Promise<CertificateFacts> {
    const { refusals } = this.#ports;
    try {
      return await this.#good(pem);
    } catch (cause) {
      if (cause instanceof CodedError) refusals.note(claimedName(pem), cause);
      if (isCoded(cause, CERTIFICATE_REVOKED)) throw cause;
      const hint =
        cause instanceof CodedError ? { action: cause.action, ...(cause.object === undefined ? {} : { object: cause.object }) } : {};
      throw new CodedError(JOIN_UNAUTHENTICATED, `the client certificate is refused: ${messageOf(cause)}`, { cause, ...hint });
    }
  }
}

function afterPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}

/** The name on a certificate that nobody vouches for. */
function claimedName(pem: string): string {
  try {
    return certificateFacts(pem).cn;
  } catch {
    return ''; // no certificate at all, and so no name
  }
}

/** The node that an agent's certificate is for: both its names must say so. */
function nodeOf(cluster: string, facts: CertificateFacts): string | undefined {
  const node = afterPrefix(facts.cn, clientNames.agent(''));
  return node !== undefined && facts.sans.uris.includes(spiffeNodeId(cluster, node)) ? node : undefined;
}
