import { request } from 'node:https';
import { CodedError } from '@isthmus/core';
import { z } from 'zod';
import type { JoinApi } from '../join/join-api.ts';
import * as wire from '../join/join-wire.ts';
import { JOIN_API_ANSWER, JOIN_API_UNREACHABLE, JOIN_API_UNTRUSTED } from './join-client.errors.ts';
import { fetchPinnedCa } from './pinned-ca.ts';

/** How a caller knows the server, and the server the caller. */
export interface JoinClientOptions {
  /** `https://host:port` */
  endpoint: string;
  /** The cluster's CA bundle, or only a pin from a token: then the CA is asked for and must match. */
  trust: { caBundle: string } | { pin: string };
  /** A client certificate (`admin-<cluster>` or a node's) or a one-time token. */
  credential: { certPem: string; keyPem: string } | { token: string };
  /** Milliseconds for one call; 15 s unless given. */
  timeoutMs?: number;
}

interface Answer {
  status: number;
  text: string;
}

/** The join API over HTTPS. The server is always verified before a credential is sent. */
export class JoinClient implements JoinApi {
  readonly endpoint: string;
  readonly #options: JoinClientOptions;
  #caBundle: string | undefined;

  constructor(options: JoinClientOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#caBundle = 'caBundle' in options.trust ? options.trust.caBundle : undefined;
  }

  cluster(): Promise<wire.ClusterInfo> {
    return this.#call('GET', '/v1/cluster', wire.clusterInfoSchema);
  }

  async remotes(): Promise<readonly wire.RemoteStatus[]> {
    return (await this.#call('GET', '/v1/clusters', wire.remoteStatusListSchema)).clusters;
  }

  offer(peer: string): Promise<wire.ClusterOffer> {
    return this.#call('POST', '/v1/clusters/offers', wire.clusterOfferSchema, { peer });
  }

  accept(offer: wire.ClusterOffer): Promise<wire.Accepted> {
    return this.#call('POST', '/v1/clusters', wire.acceptedSchema, { offer });
  }

  confirm(offer: wire.ClusterOffer, certificate: string): Promise<wire.Confirmed> {
    return this.#call('POST', '/v1/clusters', wire.confirmedSchema, { offer, certificate });
  }

  complete(first: string, body: wire.CompleteRequest): Promise<wire.Done> {
    return this.#call('POST', `/v1/clusters/${encodeURIComponent(first)}/complete`, wire.doneSchema, body);
  }

  disconnect(name: string): Promise<wire.Done> {
    return this.#call('DELETE', `/v1/clusters/${encodeURIComponent(name)}`, wire.doneSchema);
  }

  createToken(body: wire.TokenRequest): Promise<wire.TokenResponse> {
    return this.#call('POST', '/v1/tokens', wire.tokenResponseSchema, body);
  }

  node(body: wire.NodeRequest): Promise<wire.NodeResponse> {
    return this.#call('POST', '/v1/nodes', wire.nodeResponseSchema, body);
  }

  checkIn(body: wire.CheckInRequest): Promise<wire.CheckInResponse> {
    return this.#call('POST', '/v1/check-ins', wire.checkInResponseSchema, body);
  }

  renew(cluster: string, csr: string): Promise<wire.RenewalResponse> {
    return this.#call('POST', `/v1/clusters/${encodeURIComponent(cluster)}/renew`, wire.renewalResponseSchema, { csr });
  }

  revoke(cluster: string): Promise<wire.RevocationDone> {
    return this.#call('POST', `/v1/clusters/${encodeURIComponent(cluster)}/revoke`, wire.revocationSchema);
  }

  certificates(): Promise<wire.Certificates> {
    return this.#call('GET', '/v1/certificates', wire.certificatesSchema);
  }

  ca(): Promise<wire.CaStatus> {
    return this.#call('GET', '/v1/ca', wire.caStatusSchema);
  }

  rotateCa(): Promise<wire.CaStatus> {
    return this.#call('POST', '/v1/ca/rotate', wire.caStatusSchema);
  }

  retireCa(force: boolean): Promise<wire.CaStatus> {
    return this.#call('POST', '/v1/ca/retire', wire.caStatusSchema, { force });
  }

  async #call<T>(method: string, path: string, form: z.ZodType<T>, body?: unknown): Promise<T> {
    const answer = await this.#exchange(method, path, body);
    const parsed = parseJson(answer.text);
    if (answer.status < 200 || answer.status > 299) throw this.#refusal(answer, parsed);
    const result = form.safeParse(parsed);
    if (result.success) return result.data;
    throw this.#fault(JOIN_API_ANSWER, `${method} ${path} answered something else than expected`, result.error);
  }

  async #exchange(method: string, path: string, body: unknown): Promise<Answer> {
    const ca = await this.#trusted();
    const { credential } = this.#options;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...('token' in credential ? { authorization: `Bearer ${credential.token}` } : {}),
    };
    const client = 'certPem' in credential ? { cert: credential.certPem, key: credential.keyPem } : {};
    const options = { method, headers, ca, ...client, agent: false as const, signal: AbortSignal.timeout(this.#timeoutMs) };
    try {
      return await send(new URL(path, this.endpoint), options, text);
    } catch (cause) {
      throw this.#transportFault(cause);
    }
  }

  async #trusted(): Promise<string> {
    const { trust } = this.#options;
    if (this.#caBundle === undefined && 'pin' in trust) {
      try {
        this.#caBundle = await fetchPinnedCa(this.endpoint, trust.pin, this.#timeoutMs);
      } catch (error) {
        throw error instanceof CodedError ? error : this.#transportFault(error);
      }
    }
    return this.#caBundle ?? '';
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 15_000;
  }

  #refusal(answer: Answer, parsed: unknown): CodedError {
    const refusal = wire.refusalSchema.safeParse(parsed);
    if (!refusal.success) return this.#fault(JOIN_API_ANSWER, `status ${answer.status} without a reason`, refusal.error);
    const { code, message, action, object } = refusal.data;
    return new CodedError({ code, meaning: message, action }, message, object === undefined ? {} : { object });
  }

  #transportFault(cause: unknown): CodedError {
    const code = String((cause as { code?: unknown } | null)?.code ?? '');
    const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/.test(code);
    if (untrusted) return this.#fault(JOIN_API_UNTRUSTED, `the server cannot be trusted (${code})`, cause);
    return this.#fault(JOIN_API_UNREACHABLE, `no answer (${code || 'timeout'})`, cause);
  }

  #fault(kind: typeof JOIN_API_ANSWER, message: string, cause: unknown): CodedError {
    return new CodedError(kind, `join API ${this.endpoint}: ${message}`, { object: this.endpoint, cause });
  }
}

function send(url: URL, options: object, text: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Told apart from a real answer by the schema, which undefined never satisfies.
    return undefined;
  }
}
