/** Outcome of an attempt to create an identity. */
export type CreateOutcome =
  | { readonly outcome: 'created' }
  /** The labels have an identity already. */
  | { readonly outcome: 'exists'; readonly id: number }
  /** The number is taken by other labels, or rests after its last use. */
  | { readonly outcome: 'taken' };

/** Where a cluster's identities are kept: the port that the allocator works on. */
export interface IdentityRegistry {
  /** The number that the labels have, if any. */
  find(labels: string): Promise<number | undefined>;
  /** The labels that a number stands for, if any. */
  labelsOf(id: number): Promise<string | undefined>;
  /** In one transaction: takes the number for the labels if both are free and the number is not resting. */
  create(id: number, labels: string): Promise<CreateOutcome>;
  /** Every number that stands for labels or rests, whatever its range. A listing of all: for when trying finds nothing. */
  taken(): Promise<ReadonlySet<number>>;
}
