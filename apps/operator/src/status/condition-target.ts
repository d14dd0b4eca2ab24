import type { SinkFailures, SinkRow, SinkTarget } from '@isthmus/core';
import type { Resource, ResourceKind, ResourceStore } from '@isthmus/model';
import { rowByRow } from '../sinks/row-by-row.ts';
import { type Condition, type ConditionClock, withCondition } from './condition.ts';

/** What an object's status should say. Key: `[<namespace>/]<name>`. */
export interface WantedConditions {
  readonly always: readonly Condition[];
  /** Only where the object says something of this type already: nobody ever complained otherwise. */
  readonly ifPresent: readonly Condition[];
}

/** Writes conditions of objects that exist. Nothing else of them is touched. */
export class ConditionTarget<T extends Resource> implements SinkTarget<WantedConditions> {
  readonly #resources: ResourceStore;
  readonly #kind: ResourceKind<T>;
  readonly #clock: ConditionClock;

  constructor(resources: ResourceStore, kind: ResourceKind<T>, clock: ConditionClock) {
    this.#resources = resources;
    this.#kind = kind;
    this.#clock = clock;
  }

  update(rows: readonly SinkRow<WantedConditions>[]): Promise<SinkFailures> {
    return rowByRow(
      rows.map(({ key, row }) => ({ key, item: { key, row } })),
      ({ key, row }) => this.#write(key, row),
    );
  }

  /** The object is gone, and its status with it. */
  delete(): undefined {}

  async #write(key: string, { always, ifPresent }: WantedConditions): Promise<void> {
    const slash = key.indexOf('/');
    const namespace = slash < 0 ? undefined : key.slice(0, slash);
    await this.#resources.update(this.#kind, key.slice(slash + 1), namespace, (current) => {
      if (!current) return undefined;
      const told = always.reduce((object, condition) => withCondition(object, condition, this.#clock), current);
      return ifPresent.reduce((object, condition) => withCondition(object, condition, this.#clock, true), told);
    });
  }
}
