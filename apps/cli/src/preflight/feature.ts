import type { Host } from './host.ts';

/** What a check found. */
export interface Finding {
  /** `unknown`: it could not be found out here. */
  readonly state: 'yes' | 'no' | 'unknown';
  /** What there is, or why there is not. */
  readonly detail: string;
  /** What to do; empty when there is nothing to do. */
  readonly action: string;
}

/** Something that the agent needs of the machine. */
export interface Feature {
  readonly name: string;
  /** The agent cannot do without. */
  readonly required: boolean;
  check(host: Host): Finding;
}

/** A finding with the feature that it is about. */
export interface FeatureReport extends Finding {
  readonly name: string;
  readonly required: boolean;
}

/** It is there. */
export function present(detail: string): Finding {
  return { state: 'yes', detail, action: '' };
}

/** It is missing. */
export function missing(detail: string, action: string): Finding {
  return { state: 'no', detail, action };
}

/** It cannot be found out. */
export function unknown(detail: string, action: string): Finding {
  return { state: 'unknown', detail, action };
}

/** Runs every check. */
export function examine(host: Host, features: readonly Feature[]): FeatureReport[] {
  return features.map(({ name, required, check }) => ({ name, required, ...check(host) }));
}

/** Reports that keep the agent from working. What could not be found out does not count. */
export function blockers(reports: readonly FeatureReport[]): FeatureReport[] {
  return reports.filter(({ required, state }) => required && state === 'no');
}
