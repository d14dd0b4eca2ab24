import { Backoff, type Cancel, CodedError, delay, isCoded, messageOf } from '@isthmus/core';
import { type ClientCertificate, nextLookMs } from '../../client-certificate.ts';
import { KV_CERTIFICATE_EXPIRED, KV_CLOSED, KV_CONFIG, KV_UNAUTHENTICATED, KV_UNREACHABLE, KV_WRONG_CLUSTER } from '../../kv-errors.ts';
import type { StatusAnswer } from './decode.ts';
import { etcdCredentials } from './etcd-credentials.ts';
import { EtcdLink, wrongCluster } from './etcd-link.ts';
import type { EtcdSettings } from './etcd-options.ts';
import { type EtcdTarget, etcdTargets } from './etcd-target.ts';

interface Waiter {
  resolve(link: EtcdLink): void;
  reject(error: Error): void;
}

// A round of all endpoints that fails for these reasons fails the callers at once: waiting cures neither
const HOPELESS = [KV_UNAUTHENTICATED, KV_CERTIFICATE_EXPIRED, KV_CONFIG, KV_WRONG_CLUSTER];

/** Keeps at most one {@link EtcdLink} open, to any of the endpoints, while somebody wants one. */
export class EtcdConnection {
  readonly settings: EtcdSettings;
  readonly #targets: readonly EtcdTarget[];
  readonly #waiters = new Set<Waiter>();
  readonly #stop = new AbortController();
  #link: EtcdLink | undefined;
  #connecting = false;
  #next: number;
  #clusterId: string | undefined;
  #lastError: CodedError | undefined;
  #cancelLook: Cancel = () => undefined;

  constructor(settings: EtcdSettings) {
    this.settings = settings;
    this.#targets = etcdTargets(settings.config);
    this.#next = Math.floor(settings.random() * this.#targets.length); // many clients spread over the members
    this.#clusterId = settings.clusterId;
  }

  /** The names of all endpoints. */
  get endpoints(): string {
    return this.#targets.map((target) => target.name).join(', ');
  }

  /** True once {@link close} was called. */
  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The open link at once, or the next one within `timeoutMs`. @throws CodedError saying why there is none */
  async link(timeoutMs: number, signal?: AbortSignal): Promise<EtcdLink> {
    signal?.throwIfAborted();
    if (this.closed) throw this.#closedError();
    return this.#link ?? this.#wait(timeoutMs, signal);
  }

  /** Ends the link and everything on it. */
  close(): void {
    if (this.closed) return;
    const error = this.#closedError();
    this.#stop.abort(error);
    this.#rejectAll(error);
    this.#cancelLook();
    this.#link?.fail(error);
  }

  #wait(timeoutMs: number, signal?: AbortSignal): Promise<EtcdLink> {
    return new Promise((resolve, reject) => {
      const settled = (then: () => void): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
        cancelTimer();
        then();
      };
      const waiter: Waiter = {
        resolve: (link) => settled(() => resolve(link)),
        reject: (error) => settled(() => reject(error)),
      };
      const onAbort = (): void => waiter.reject(signal!.reason);
      const cancelTimer = this.settings.clock.after(timeoutMs, () => waiter.reject(this.#timeoutError(timeoutMs)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      if (!this.#connecting) void this.#connect();
    });
  }

  /** Goes round the endpoints until one answers, or until nobody waits any more. */
  async #connect(): Promise<void> {
    this.#connecting = true;
    const backoff = new Backoff({ minMs: 100, maxMs: 3_000 }, this.settings.random);
    while (this.#waiters.size > 0 && !this.closed) {
      const errors: CodedError[] = [];
      for (let i = 0; i < this.#targets.length && !this.#link && !this.closed; i++) {
        const error = await this.#tryNext();
        if (error) errors.push(error);
      }
      if (this.#link || this.closed) break;
      if (errors.every((error) => HOPELESS.some((kind) => isCoded(error, kind)))) this.#rejectAll(errors.at(-1)!);
      else await delay(this.settings.clock, backoff.next(), this.#stop.signal).catch(() => undefined); // rejects only by close
    }
    this.#connecting = false;
  }

  async #tryNext(): Promise<CodedError | undefined> {
    const target = this.#targets[this.#next++ % this.#targets.length]!;
    try {
      const { link, status } = await EtcdLink.open(target, this.settings, (lost, error) => this.#lost(lost, error));
      this.#accept(link, status);
      return undefined;
    } catch (thrown) {
      const error =
        thrown instanceof CodedError ? thrown : new CodedError(KV_UNREACHABLE, `${target.name}: ${messageOf(thrown)}`, { cause: thrown });
      this.#lastError = error;
      if (!this.closed) this.settings.onConnection({ type: 'failed', endpoint: target.name, error });
      return error;
    }
  }

  /** Takes a new link into use. A change of the cluster is told to everybody who waits, once; then it is the cluster. */
  #accept(link: EtcdLink, status: StatusAnswer): void {
    const before = this.#clusterId;
    const changed = before !== undefined && before !== link.clusterId;
    const error = changed ? wrongCluster(link.target.name, before, link.clusterId) : undefined;
    if (this.closed || (error && this.settings.clusterId !== undefined)) {
      link.fail(error ?? this.#closedError());
      if (error) throw error;
      return;
    }
    this.#clusterId = link.clusterId;
    this.#link = link;
    this.#lookLater(link);
    this.settings.onConnection({ type: 'connected', endpoint: link.target.name, clusterId: link.clusterId, version: status.version });
    if (error) this.#rejectAll(error);
    for (const waiter of [...this.#waiters]) waiter.resolve(link);
  }

  /** No connection is used for longer than the certificate that it was opened with: a newer one takes over before it ends. */
  #lookLater(link: EtcdLink): void {
    const { clock } = this.settings;
    this.#cancelLook();
    const { certificate } = link;
    // One that the server took although it had expired by this machine's clock shows that this clock is wrong.
    if (!certificate || clock.wall() > certificate.notAfter) return;
    this.#cancelLook = clock.after(nextLookMs(certificate, clock.wall()), () => void this.#look(link));
  }

  async #look(link: EtcdLink): Promise<void> {
    const { certificate, target } = link;
    if (!certificate || this.#link !== link) return;
    try {
      const next = await this.#openNewer(target, certificate.notAfter);
      if (next && this.#link === link) {
        link.handOver();
        this.#link = undefined;
        this.#accept(next.link, next.status);
        return;
      }
      next?.link.fail(this.#closedError());
    } catch {
      // The connection that is there goes on; that there is no other one is told when it is needed.
    }
    if (this.#link !== link) return;
    if (this.settings.clock.wall() <= certificate.notAfter) this.#lookLater(link);
    else link.fail(expired(certificate, target.name));
  }

  /** A second link, if the certificate on disk is newer. */
  async #openNewer(target: EtcdTarget, than: number): Promise<{ link: EtcdLink; status: StatusAnswer } | undefined> {
    const { certificate } = await etcdCredentials(this.settings.config, target);
    if (!certificate || certificate.notAfter <= than) return undefined;
    return await EtcdLink.open(target, this.settings, (lost, error) => this.#lost(lost, error));
  }

  #lost(link: EtcdLink, error: CodedError): void {
    if (this.#link !== link) return;
    this.#cancelLook();
    this.#link = undefined;
    this.#lastError = error;
    if (!this.closed) this.settings.onConnection({ type: 'lost', endpoint: link.target.name, error });
  }

  #rejectAll(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  #timeoutError(timeoutMs: number): CodedError {
    const why = this.#lastError ? `: ${this.#lastError.message}` : '';
    return new CodedError(KV_UNREACHABLE, `etcd at ${this.endpoints} could not be reached within ${Math.round(timeoutMs)} ms${why}`, {
      object: this.endpoints,
      cause: this.#lastError,
    });
  }

  #closedError(): CodedError {
    return new CodedError(KV_CLOSED, `the connection to etcd at ${this.endpoints} was closed on this side`, { object: this.endpoints });
  }
}

function expired({ name, file, notAfter }: ClientCertificate, endpoint: string): CodedError {
  const message = `the connection to ${endpoint} is given up: the client certificate ${name} (${file}) expired at ${new Date(notAfter).toISOString()}`;
  return new CodedError(KV_CERTIFICATE_EXPIRED, message, { object: name });
}
