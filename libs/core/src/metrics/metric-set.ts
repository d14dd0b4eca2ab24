import type { MetricDeclaration, MetricDeclarations } from './metric-declaration.ts';

/** Value of every label of a metric. */
export type Labels<M extends MetricDeclaration> = Readonly<Record<M['labels'][number], string>>;

/** One value of a metric. */
export type Sample<M extends MetricDeclaration = MetricDeclaration> = readonly [labels: Labels<M>, value: number];

/** A metric with its values. */
export interface Measured {
  readonly name: string;
  readonly declaration: MetricDeclaration;
  readonly samples: readonly Sample[];
}

/**
 * The values of a process's metrics: what is counted as it happens, and what is read when somebody asks. It knows nothing of whom they are shown
 * to. A counter without labels is there from the start, as 0.
 */
export class MetricSet<T extends MetricDeclarations> {
  readonly #declarations: T;
  readonly #counted = new Map<string, Map<string, Sample>>();
  readonly #read = new Map<string, () => Iterable<Sample> | Promise<Iterable<Sample>>>();

  constructor(declarations: T) {
    this.#declarations = declarations;
    for (const [name, { type, labels }] of Object.entries(declarations))
      if (type === 'counter' && labels.length === 0) this.#put(name, {}, 0);
  }

  /** Adds to a value; one that was not there counts from 0. */
  add<N extends keyof T & string>(name: N, labels: Labels<T[N]>, by = 1): void {
    this.#put(name, labels, (this.#counted.get(name)?.get(this.#keyOf(name, labels))?.[1] ?? 0) + by);
  }

  /** Sets a value. */
  set<N extends keyof T & string>(name: N, labels: Labels<T[N]>, value: number): void {
    this.#put(name, labels, value);
  }

  /** Says where the values of a metric are read, whenever somebody asks. They replace what was counted. */
  read<N extends keyof T & string>(name: N, samples: () => Iterable<Sample<T[N]>> | Promise<Iterable<Sample<T[N]>>>): void {
    this.#read.set(name, samples as () => Iterable<Sample>);
  }

  /** Every metric with its values now, in the order of the declarations; those without any, too. */
  measure(): Promise<Measured[]> {
    return Promise.all(
      Object.entries(this.#declarations).map(async ([name, declaration]) => ({
        name,
        declaration,
        samples: [...((await this.#read.get(name)?.()) ?? this.#counted.get(name)?.values() ?? [])],
      })),
    );
  }

  #put(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    const samples = this.#counted.get(name) ?? new Map<string, Sample>();
    samples.set(this.#keyOf(name, labels), [labels, value]);
    this.#counted.set(name, samples);
  }

  #keyOf(name: string, labels: Readonly<Record<string, string>>): string {
    return JSON.stringify(this.#declarations[name]?.labels.map((label) => labels[label]));
  }
}
