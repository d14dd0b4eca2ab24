import type { Clock } from '@isthmus/core';
import type { IdentityRow } from '@isthmus/model';
import { tableRows } from './agent-answers.ts';
import type { AgentApi } from './agent-api.ts';
import { reservedLabels } from './identity-labels.ts';

/** Where an agent has identities: its own cluster's, and all others'. */
export const IDENTITY_TABLES: readonly string[] = ['identities', 'remote-identities'];

/** An unknown identity makes the tables be read again, at most this often. Milliseconds. */
const REFRESH_MS = 1_000;

/** Labels by identity, read from an agent when a new one is asked for. */
export class IdentityDirectory {
  readonly #agent: AgentApi;
  readonly #clock: Clock;
  #labels = new Map<number, string>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(agent: AgentApi, clock: Clock) {
    this.#agent = agent;
    this.#clock = clock;
  }

  /** `source:key=value;` text; empty for an identity that the agent does not know. */
  async labelsOf(id: number): Promise<string> {
    const known = reservedLabels(id) ?? this.#labels.get(id);
    if (known !== undefined) return known;
    if (this.#clock.now() - this.#readAt >= REFRESH_MS) await this.#read();
    return this.#labels.get(id) ?? '';
  }

  async #read(): Promise<void> {
    this.#readAt = this.#clock.now();
    const tables = await Promise.all(IDENTITY_TABLES.map((table) => tableRows<IdentityRow>(this.#agent, table)));
    this.#labels = new Map(tables.flat().map(({ row }) => [row.id, row.labels]));
  }
}
