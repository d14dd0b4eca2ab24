import type { MachineDefinition } from '@isthmus/core';

/** States of a session, RFC 4271 §8.2.2. */
export type SessionState = 'idle' | 'connect' | 'active' | 'open-sent' | 'open-confirm' | 'established';

/**
 * What may happen to a session, RFC 4271 §8.1, as far as it leads to different states: all that ends it, whether a timer, an error, a
 * NOTIFICATION or an operator, is `end`.
 */
export type SessionEvent =
  | 'start'
  | 'start-passive'
  | 'connected'
  | 'connect-failed'
  | 'retry'
  | 'open'
  | 'keepalive'
  | 'update'
  | 'refresh'
  | 'end';

/** All events, for checking the table. */
export const SESSION_EVENTS: readonly SessionEvent[] = [
  'start',
  'start-passive',
  'connected',
  'connect-failed',
  'retry',
  'open',
  'keepalive',
  'update',
  'refresh',
  'end',
];

const MESSAGES = ['open', 'keepalive', 'update', 'refresh'] as const;
const BEGINNINGS = ['start', 'start-passive'] as const;
const CONNECTING = ['connected', 'connect-failed', 'retry'] as const;

/**
 * The table of RFC 4271 §8.2.2. Each connection walks it on its own, as §8.2.1 has it for colliding ones. A message that leads to `idle` is one
 * that must not come in that state: see {@link UNEXPECTED}.
 */
export const SESSION_MACHINE: MachineDefinition<SessionState, SessionEvent> = {
  name: 'BGP session',
  initial: 'idle',
  transitions: {
    idle: { start: 'connect', 'start-passive': 'active' },
    connect: { connected: 'open-sent', 'connect-failed': 'active', retry: 'connect', end: 'idle' },
    active: { connected: 'open-sent', retry: 'connect', end: 'idle' },
    'open-sent': { open: 'open-confirm', keepalive: 'idle', update: 'idle', refresh: 'idle', end: 'idle' },
    'open-confirm': { keepalive: 'established', open: 'idle', update: 'idle', refresh: 'idle', end: 'idle' },
    established: { keepalive: 'established', update: 'established', refresh: 'established', open: 'idle', end: 'idle' },
  },
  ignores: {
    idle: [...CONNECTING, ...MESSAGES, 'end'],
    connect: [...BEGINNINGS, ...MESSAGES],
    active: [...BEGINNINGS, ...MESSAGES, 'connect-failed'],
    'open-sent': [...BEGINNINGS, ...CONNECTING],
    'open-confirm': [...BEGINNINGS, ...CONNECTING],
    established: [...BEGINNINGS, ...CONNECTING],
  },
};

/** Subcode of a Finite State Machine Error (code 5) by the state that the message came in, RFC 6608 §4. */
export const UNEXPECTED: Readonly<Partial<Record<SessionState, number>>> = { 'open-sent': 1, 'open-confirm': 2, established: 3 };

/** How far a session is: the greater, the closer to established. */
export const PROGRESS: Readonly<Record<SessionState, number>> = {
  idle: 0,
  active: 1,
  connect: 2,
  'open-sent': 3,
  'open-confirm': 4,
  established: 5,
};
