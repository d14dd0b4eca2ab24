import { X509Certificate } from 'node:crypto';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import { CodedError, messageOf } from '@isthmus/core';
import type { Credential } from '../join/credential-keeper.ts';
import { type NodeTrust, nodeNamedBy } from '../pki/node-of-certificate.ts';
import type { PairAnswer, PairExchange, PairRequest } from '../wireguard/preshared/pair-exchange.ts';
import { PAIR_EXCHANGE } from '../wireguard/wireguard.errors.ts';
import { CredentialContext } from './credential-context.ts';
import { PAIR_EXCHANGE_MAX_BYTES, PAIR_EXCHANGE_PATH, pairAnswerSchema, pairRefusalSchema } from './pair-exchange-wire.ts';

const TIMEOUT_MS = 10_000;

/** What a {@link PairExchangeClient} works with. */
export interface PairExchangeClientOptions {
  /** Where a node, `<cluster>/<node>`, is listened for; undefined: it is not known. */
  readonly placeOf: (peer: string) => { readonly address: string; readonly port: number } | undefined;
  /** The node's own, as it is now. */
  readonly credential: () => Promise<Credential>;
  readonly trust: Pick<NodeTrust, 'caBundleOf'>;
}

/** Asks other nodes over HTTPS, TLS 1.3, both sides by their agents' certificates. */
export class PairExchangeClient implements PairExchange {
  readonly #options: PairExchangeClientOptions;
  readonly #contexts = new Map<string, CredentialContext>();

  constructor(options: PairExchangeClientOptions) {
    this.#options = options;
  }

  async ask(peer: string, request: PairRequest): Promise<PairAnswer> {
    try {
      const { status, text } = await this.#post(peer, bodyOf(request));
      return answerOf(status, text);
    } catch (error) {
      if (error instanceof CodedError) throw error;
      throw new CodedError(PAIR_EXCHANGE, `${peer}: ${messageOf(error) || (error as NodeJS.ErrnoException).code}`, {
        object: peer,
        cause: error,
      });
    }
  }

  #contextOf(cluster: string): CredentialContext {
    const known = this.#contexts.get(cluster) ?? new CredentialContext();
    this.#contexts.set(cluster, known);
    return known;
  }

  async #post(peer: string, body: string): Promise<{ status: number; text: string }> {
    const place = this.#options.placeOf(peer);
    if (place === undefined) throw new CodedError(PAIR_EXCHANGE, `where ${peer} is, is not known`, { object: peer });
    const [cluster = ''] = peer.split('/');
    const ca = await this.#options.trust.caBundleOf(cluster);
    if (ca === '') throw new CodedError(PAIR_EXCHANGE, `the CAs of cluster ${cluster} are not known`, { object: peer });
    const secureContext = this.#contextOf(cluster).of(await this.#options.credential(), ca);
    return post(
      {
        host: place.address,
        port: place.port,
        path: PAIR_EXCHANGE_PATH,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        agent: false,
        secureContext,
        checkServerIdentity: (_, certificate) => isOther(certificate, peer),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      },
      body,
    );
  }
}

/** Asked of a certificate that a CA of the cluster has signed, before anything is sent. */
function isOther({ raw }: PeerCertificate, peer: string): Error | undefined {
  try {
    const { cluster, node } = nodeNamedBy(new X509Certificate(raw).toString());
    if (`${cluster}/${node}` === peer) return undefined;
    return new CodedError(PAIR_EXCHANGE, `who answers there is ${cluster}/${node}`, { object: peer });
  } catch (error) {
    return error as Error;
  }
}

function post(options: RequestOptions & Pick<ConnectionOptions, 'secureContext'>, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > PAIR_EXCHANGE_MAX_BYTES) request.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function bodyOf({ kemKey, ...rest }: PairRequest): string {
  return JSON.stringify({ ...rest, kemKey: Buffer.from(kemKey).toString('base64') });
}

function answerOf(status: number, text: string): PairAnswer {
  const body: unknown = JSON.parse(text);
  const refusal = pairRefusalSchema.safeParse(body);
  if (status !== 200 && refusal.success) throw new CodedError({ ...refusal.data, meaning: refusal.data.message }, refusal.data.message);
  return pairAnswerSchema.parse(body);
}
