import type { Clock } from '../clock.ts';
import { Notifier } from '../notifier.ts';
import { Derivation, type DerivationSpec } from './derivation.ts';
import { DerivedScopes, SourceScopes } from './scopes.ts';
import { type Applied, Table, type TableOptions } from './table.ts';
import { TableWriter } from './table-writer.ts';

/** A derivation's `compute` threw: a defect. The row keeps its last value; the fault is reported, not hidden. */
export interface DerivationFault {
  table: string;
  key: string;
  error: unknown;
}

/** What the store reports besides data. */
export interface StoreOptions {
  onFault?: (fault: DerivationFault) => void;
}

/** Output keys to compute whatever the inputs say: at declaration, and when a timer fires. */
interface Woken {
  derivation: object;
  keys: Iterable<string>;
}

interface Operation {
  table: Table<unknown>;
  key: string;
  row: unknown;
}

/**
 * All tables of a process, one revision counter. A commit applies its changes, runs the derivations they concern in the order of their
 * declaration (an input must exist before what is derived from it, so that order is topological), and only then wakes readers: nobody sees
 * half of it.
 */
export class Store {
  /** Wakes after each commit and each change of a scope. */
  readonly changed = new Notifier();
  readonly #tables = new Map<string, Table<unknown>>();
  readonly #derivations: Derivation<unknown>[] = [];
  readonly #clock: Clock;
  readonly #onFault: (fault: DerivationFault) => void;
  #revision = 0;
  #open: Operation[] | undefined;
  #deriving = false;

  constructor(clock: Clock, options: StoreOptions = {}) {
    this.#clock = clock;
    this.#onFault =
      options.onFault ??
      ((fault) => {
        throw fault.error;
      });
  }

  /** Revision of the last commit. */
  get revision(): number {
    return this.#revision;
  }

  /** Every table, in order of declaration. */
  tables(): readonly Table<unknown>[] {
    return [...this.#tables.values()];
  }

  /** A table by name, for display. */
  find(name: string): Table<unknown> | undefined {
    return this.#tables.get(name);
  }

  /** Declares a table and hands out its only writer. */
  table<V>(name: string, options: TableOptions = {}): TableWriter<V> {
    const scopes = new SourceScopes();
    return new TableWriter(this, this.#add(new Table<V>(name, scopes, options)), scopes);
  }

  /** Declares a derived table. Rows that the inputs hold already are derived at once. */
  derive<V>(spec: DerivationSpec<V>): Table<V> {
    const scopes = new DerivedScopes(spec.inputs.map((each) => each.table.scopes));
    const table = this.#add(new Table<V>(spec.name, scopes, spec.maxTombstones === undefined ? {} : { maxTombstones: spec.maxTombstones }));
    const derivation = new Derivation<V>(spec, table, this.#clock, (key) => this.#commit([], [{ derivation, keys: [key] }]));
    this.#derivations.push(derivation as Derivation<unknown>);
    const present = (input: Table<unknown>): Applied<unknown>[] => [...input.rows()].map(([key, row]) => ({ key, row, before: undefined }));
    this.#commit([], [{ derivation, keys: derivation.affected(present) }]);
    return table;
  }

  /**
   * Runs `fn` and commits everything that writers put and delete meanwhile as one revision. When `fn` throws, nothing is committed. Reads
   * inside `fn` see the state before the transaction. Synchronous; nests into the outer transaction.
   */
  transact<T>(fn: () => T): T {
    if (this.#deriving) throw new Error('a derivation must not write');
    if (this.#open) return fn();
    const operations: Operation[] = [];
    this.#open = operations;
    let result: T;
    try {
      result = fn();
    } finally {
      this.#open = undefined;
    }
    this.#commit(operations, []);
    return result;
  }

  /** Adds one change to the open transaction, or commits it alone. Only writers call this. */
  write<V>(table: Table<V>, key: string, row: V | undefined): void {
    const operation = { table: table as Table<unknown>, key, row };
    if (this.#open) this.#open.push(operation);
    else this.transact(() => this.#open?.push(operation));
  }

  /** Counts a change of scopes as a revision, so that sinks know from when on they may prune. Only writers call this. */
  scopesChanged(): void {
    this.#revision++;
    this.changed.notify();
  }

  #add<V>(table: Table<V>): Table<V> {
    if (this.#tables.has(table.name)) throw new Error(`table ${table.name} is declared twice`);
    this.#tables.set(table.name, table as Table<unknown>);
    return table;
  }

  #commit(operations: Operation[], woken: readonly Woken[]): void {
    const revision = this.#revision + 1;
    const changes = new Map<Table<unknown>, Applied<unknown>[]>();
    for (const { table, key, row } of operations) record(changes, table, table.apply(key, row, revision));
    this.#deriving = true;
    try {
      for (const derivation of this.#derivations) {
        const keys = derivation.affected((table) => changes.get(table) ?? []);
        for (const each of woken) if (each.derivation === derivation) for (const key of each.keys) keys.add(key);
        for (const key of keys) this.#compute(derivation, key, revision, changes);
      }
    } finally {
      this.#deriving = false;
    }
    if (changes.size === 0) return;
    for (const table of changes.keys()) table.log.trim();
    this.#revision = revision;
    this.changed.notify();
  }

  #compute(derivation: Derivation<unknown>, key: string, revision: number, changes: Map<Table<unknown>, Applied<unknown>[]>): void {
    try {
      record(changes, derivation.output, derivation.output.apply(key, derivation.compute(key), revision));
    } catch (error) {
      this.#onFault({ table: derivation.output.name, key, error });
    }
  }
}

function record(changes: Map<Table<unknown>, Applied<unknown>[]>, table: Table<unknown>, applied: Applied<unknown> | undefined): void {
  if (!applied) return;
  const list = changes.get(table);
  if (list) list.push(applied);
  else changes.set(table, [applied]);
}
