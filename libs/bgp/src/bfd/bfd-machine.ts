import type { MachineDefinition } from '@isthmus/core';

/** States of a session, RFC 5880 §6.2. */
export type BfdState = 'admin-down' | 'down' | 'init' | 'up';

/** What moves a session: a state that the peer says, silence for the detection time, and what is wanted on this side. */
export type BfdEvent = 'remote-admin-down' | 'remote-down' | 'remote-init' | 'remote-up' | 'expired' | 'disable' | 'enable';

/** All events, for checking the table. */
export const BFD_EVENTS: readonly BfdEvent[] = [
  'remote-admin-down',
  'remote-down',
  'remote-init',
  'remote-up',
  'expired',
  'disable',
  'enable',
];

/** The table of RFC 5880 §6.8.6 (last part), §6.8.4 and §6.8.16. */
export const BFD_MACHINE: MachineDefinition<BfdState, BfdEvent> = {
  name: 'BFD session',
  initial: 'down',
  transitions: {
    down: { 'remote-down': 'init', 'remote-init': 'up', disable: 'admin-down' },
    init: { 'remote-init': 'up', 'remote-up': 'up', 'remote-admin-down': 'down', expired: 'down', disable: 'admin-down' },
    up: { 'remote-down': 'down', 'remote-admin-down': 'down', expired: 'down', disable: 'admin-down' },
    'admin-down': { enable: 'down' },
  },
  ignores: {
    down: ['remote-admin-down', 'remote-up', 'expired', 'enable'],
    init: ['remote-down', 'enable'],
    up: ['remote-init', 'remote-up', 'enable'],
    'admin-down': ['remote-admin-down', 'remote-down', 'remote-init', 'remote-up', 'expired', 'disable'],
  },
};

/** What a packet's state does to a session, RFC 5880 §6.8.6. */
export const EVENT_OF: Readonly<Record<BfdState, BfdEvent>> = {
  'admin-down': 'remote-admin-down',
  down: 'remote-down',
  init: 'remote-init',
  up: 'remote-up',
};
