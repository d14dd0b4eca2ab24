import type { Clock, CodedError } from '@isthmus/core';
import type { Resource } from '@isthmus/model';

/** A statement about an object, as Kubernetes objects carry them in `status.conditions`. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** A word for programs; the error's code where something failed. */
  readonly reason: string;
  readonly message: string;
}

/** Wall time of transitions. */
export type ConditionClock = Pick<Clock, 'wall'>;

/**
 * The object with the condition set; the object itself when it says so already.
 * @param onlyReplace leave an object alone that has no condition of this type: nobody ever complained
 */
export function withCondition<T extends Resource>(object: T, condition: Condition, clock: ConditionClock, onlyReplace = false): T {
  const status = ((object as { status?: unknown }).status ?? {}) as { conditions?: unknown };
  const conditions = (Array.isArray(status.conditions) ? status.conditions : []) as (Partial<Condition> & {
    lastTransitionTime?: string;
  })[];
  const before = conditions.find(({ type }) => type === condition.type);
  if (!before && onlyReplace) return object;
  if (before?.status === condition.status && before.reason === condition.reason && before.message === condition.message) return object;
  const changed = before?.status !== condition.status || before.lastTransitionTime === undefined;
  const lastTransitionTime = changed ? new Date(clock.wall()).toISOString().replace(/\.\d+Z$/, 'Z') : before.lastTransitionTime;
  const others = conditions.filter(({ type }) => type !== condition.type);
  return { ...object, status: { ...status, conditions: [...others, { ...condition, lastTransitionTime }] } };
}

/** Says that something could not be allocated, with the error's code, text and advice. */
export function exhaustedCondition(type: string, { code, message, action }: CodedError): Condition {
  return { type, status: 'False', reason: code, message: `${message}. ${action}` };
}

/** Says that all is allocated. */
export function allocatedCondition(type: string): Condition {
  return { type, status: 'True', reason: 'Allocated', message: '' };
}

/** Says whether something is amiss. The reason is the type's own word. */
export function problemCondition(type: string, is: boolean, message: string): Condition {
  const word = type.slice(type.indexOf('/') + 1);
  return { type, status: is ? 'True' : 'False', reason: is ? word : `Not${word}`, message: is ? message : '' };
}

/** The object without conditions of a type. */
export function withoutCondition<T extends Resource>(object: T, type: string): T {
  const status = (object as { status?: { conditions?: readonly Condition[] } }).status;
  if (!status?.conditions?.some((each) => each.type === type)) return object;
  return { ...object, status: { ...status, conditions: status.conditions.filter((each) => each.type !== type) } };
}
