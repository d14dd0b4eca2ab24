import { type ChannelOptions, Client, connectivityState, type ServiceError } from '@grpc/grpc-js';
import { CodedError } from '@isthmus/core';
import { type ClientCertificate, explainRefusal } from '../../client-certificate.ts';
import { KV_HANDED_OVER, KV_UNREACHABLE, KV_WRONG_CLUSTER } from '../../kv-errors.ts';
import { decodeStatus, type StatusAnswer } from './decode.ts';
import { encodeNothing } from './encode.ts';
import { type EtcdCredentials, etcdCredentials } from './etcd-credentials.ts';
import type { EtcdSettings } from './etcd-options.ts';
import type { EtcdTarget } from './etcd-target.ts';
import { etcdMethod } from './protos.ts';
import { rpcError } from './rpc-error.ts';

/** The question that needs no permission. */
export const STATUS = etcdMethod('Maintenance', 'Status', encodeNothing, decodeStatus);

/** A value and what comes with it; a server may make us hold so much at once for each of our calls, and no more. */
const MAX_RECEIVED = 16 * 1024 * 1024;
const MAX_SENT = 256 * 1024 * 1024; // the server has a limit of its own
const WINDOW = 4 * 1024 * 1024; // HTTP/2 flow control: a listing is not slowed down by round trips

/**
 * One living connection to one endpoint. It never comes back: when it is lost everything that runs on it fails at once, and the next
 * one is opened with certificates read anew.
 */
export class EtcdLink {
  readonly client: Client;
  readonly target: EtcdTarget;
  /** What it was opened with. */
  readonly certificate: ClientCertificate | undefined;
  readonly #cancels = new Set<(error: CodedError) => void>();
  readonly #streams = new Set<(error: CodedError) => void>();
  readonly #onLost: (error: CodedError) => void;
  #clusterId = '';
  #failure: CodedError | undefined;

  private constructor(client: Client, target: EtcdTarget, certificate: ClientCertificate | undefined, onLost: (error: CodedError) => void) {
    this.client = client;
    this.target = target;
    this.certificate = certificate;
    this.#onLost = onLost;
  }

  /**
   * Connects and asks the server who it is.
   * @throws CodedError saying why this endpoint cannot be used now
   */
  static async open(target: EtcdTarget, settings: EtcdSettings, onLost: (link: EtcdLink, error: CodedError) => void) {
    const { credentials, options, certificate } = await etcdCredentials(settings.config, target);
    const client = new Client(target.address, credentials, { ...options, ...channelOptions(settings) });
    const link: EtcdLink = new EtcdLink(client, target, certificate, (error) => onLost(link, error));
    try {
      const status = await link.#askStatus(settings.connectTimeoutMs);
      link.#clusterId = status.header.clusterId;
      link.#watchState();
      return { link, status };
    } catch (error) {
      client.close();
      throw error instanceof CodedError ? explainRefusal(error, target.name, certificate, settings.clock.wall()) : error;
    }
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  /** Set once the connection is lost. */
  get failure(): CodedError | undefined {
    return this.#failure;
  }

  /** Registers what to do with a running call when the connection is lost; returns how to take that back. */
  track(cancel: (error: CodedError) => void): () => void {
    this.#cancels.add(cancel);
    return () => this.#cancels.delete(cancel);
  }

  /** The same for a stream, which never ends by itself and so is also ended by {@link handOver}. */
  trackStream(cancel: (error: CodedError) => void): () => void {
    this.#streams.add(cancel);
    return () => this.#streams.delete(cancel);
  }

  /** Another link has taken over: calls under way are answered here, streams go on there. */
  handOver(): void {
    if (this.#failure) return;
    const error = new CodedError(KV_HANDED_OVER, `the connection to ${this.target.name} is replaced by one with a newer certificate`, {
      object: this.target.name,
    });
    this.#failure = error;
    for (const cancel of this.#streams) cancel(error);
    this.#streams.clear();
    this.client.close();
  }

  /** @throws CodedError KV_WRONG_CLUSTER when an answer comes from another cluster than the connection began with */
  check(clusterId: string): void {
    if (clusterId === this.#clusterId || clusterId === '0') return;
    const error = wrongCluster(this.target.name, this.#clusterId, clusterId);
    this.fail(error);
    throw error;
  }

  /** Ends the connection and everything on it. */
  fail(error: CodedError): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const cancels of [this.#cancels, this.#streams]) {
      for (const cancel of cancels) cancel(error);
      cancels.clear();
    }
    this.client.close();
    this.#onLost(error);
  }

  #askStatus(timeoutMs: number): Promise<StatusAnswer> {
    const { path, serialize, deserialize } = STATUS;
    const subject = { endpoint: this.target.name, verb: 'connect to', object: 'etcd', about: this.target.name };
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: StatusAnswer): void => {
        if (error) reject(rpcError(error, subject));
        else if (answer!.leader === '0')
          reject(new CodedError(KV_UNREACHABLE, `${this.target.name} has no leader`, { object: this.target.name }));
        else resolve(answer!);
      };
      this.client.makeUnaryRequest(path, serialize, deserialize, undefined, { deadline: Date.now() + timeoutMs }, done);
    });
  }

  /** A channel that leaves READY has lost its connection; gRPC would open the next one with the old certificates. */
  #watchState(): void {
    const lost = (): void => {
      if (this.#failure) return;
      const error = new CodedError(KV_UNREACHABLE, `the connection to ${this.target.name} is lost; a write under way may have happened`, {
        object: this.target.name,
      });
      this.fail(error);
    };
    const channel = this.client.getChannel();
    if (channel.getConnectivityState(false) !== connectivityState.READY) setImmediate(lost);
    else channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, lost);
  }
}

/** The error of an answer from another cluster. */
export function wrongCluster(endpoint: string, expected: string, found: string): CodedError {
  return new CodedError(KV_WRONG_CLUSTER, `${endpoint} answers for etcd cluster ${found}, not ${expected}`, { object: endpoint });
}

function channelOptions(settings: EtcdSettings): EtcdCredentials['options'] & ChannelOptions {
  return {
    'grpc.keepalive_time_ms': settings.keepAliveMs,
    'grpc.keepalive_timeout_ms': settings.keepAliveTimeoutMs,
    'grpc.max_receive_message_length': MAX_RECEIVED,
    'grpc.max_send_message_length': MAX_SENT,
    'grpc-node.flow_control_window': WINDOW,
    'grpc.use_local_subchannel_pool': 1, // a shared one would bring back a connection that was given up
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
  };
}
