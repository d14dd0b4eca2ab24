/** Where an event leads from a state. An event that a state does not name is ignored there only when listed in `ignores`. */
export interface MachineDefinition<S extends string, E extends string> {
  name: string;
  initial: S;
  /** Per state: event → next state. */
  transitions: Record<S, Partial<Record<E, S>>>;
  /** Per state: events that may arrive and mean nothing there. */
  ignores?: Partial<Record<S, readonly E[]>>;
}

/** A finding of {@link checkMachine}. */
export interface MachineFault {
  kind: 'unreachable' | 'unhandled' | 'unknown-state';
  state: string;
  event?: string;
}

/** Checks that every state is reachable and that every state names or ignores every event. Empty when all is well. */
export function checkMachine<S extends string, E extends string>(
  definition: MachineDefinition<S, E>,
  events: readonly E[],
): MachineFault[] {
  const states = Object.keys(definition.transitions) as S[];
  const faults: MachineFault[] = [];
  const reached = new Set<S>([definition.initial]);
  for (const state of reached) for (const next of Object.values(definition.transitions[state] ?? {})) reached.add(next as S);
  for (const state of states) {
    if (!reached.has(state)) faults.push({ kind: 'unreachable', state });
    for (const event of events) {
      const next = definition.transitions[state][event];
      if (next !== undefined && !states.includes(next)) faults.push({ kind: 'unknown-state', state: next, event });
      if (next === undefined && !definition.ignores?.[state]?.includes(event)) faults.push({ kind: 'unhandled', state, event });
    }
  }
  return faults;
}

/** One running instance of a state machine. Holds no timers and does no I/O: the owner acts on {@link Transition}s. */
export class Machine<S extends string, E extends string> {
  readonly #definition: MachineDefinition<S, E>;
  #state: S;

  constructor(definition: MachineDefinition<S, E>) {
    this.#definition = definition;
    this.#state = definition.initial;
  }

  get state(): S {
    return this.#state;
  }

  /**
   * Takes an event.
   * @returns the transition, or undefined when the event is ignored in this state
   * @throws Error when the state neither handles nor ignores the event: a defect of the table
   */
  on(event: E): Transition<S, E> | undefined {
    const from = this.#state;
    const to = this.#definition.transitions[from][event];
    if (to === undefined) {
      if (this.#definition.ignores?.[from]?.includes(event)) return undefined;
      throw new Error(`${this.#definition.name}: event ${event} is not in the table for state ${from}`);
    }
    this.#state = to;
    return { from, event, to };
  }
}

/** A step that a machine took. */
export interface Transition<S extends string, E extends string> {
  from: S;
  event: E;
  to: S;
}
