import { LOG, type Log, type StatusServer } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Operator } from './operator.ts';

/** Starts and stops what the process consists of: the status server first, so that probes see the start; the store last. */
export class OperatorProcess implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #operator: Operator;
  readonly #server: StatusServer;
  readonly #kv: KvStore;
  readonly #address: string;
  readonly #log: Log;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(operator: Operator, server: StatusServer, kv: KvStore, address: string, log: Log) {
    this.#operator = operator;
    this.#server = server;
    this.#kv = kv;
    this.#address = address;
    this.#log = log;
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.#address !== '') {
      await this.#server.listen(this.#address);
      this.#log.info({ [LOG.address]: this.#address }, 'health and metrics are served');
    }
    this.#running = this.#operator
      .run(this.#stop.signal)
      .catch((error: unknown) => this.#log.error({ [LOG.error]: error }, 'the operator failed'));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stop.abort(new Error('the process stops'));
    await this.#running;
    await this.#server.close();
    this.#kv.close();
  }
}
