import { checkMachine, Machine } from '@isthmus/core';
import { BFD_EVENTS, BFD_MACHINE, type BfdEvent, type BfdState } from './bfd-machine.ts';

it('reaches every state and has an answer to every event', () => {
  expect(checkMachine(BFD_MACHINE, BFD_EVENTS)).toEqual([]);
});

/** RFC 5880 §6.8.6: state of this side, state in the packet, state that follows. */
const RECEPTION: [BfdState, BfdEvent, BfdState][] = [
  ['down', 'remote-admin-down', 'down'],
  ['down', 'remote-down', 'init'],
  ['down', 'remote-init', 'up'],
  ['down', 'remote-up', 'down'],
  ['init', 'remote-admin-down', 'down'],
  ['init', 'remote-down', 'init'],
  ['init', 'remote-init', 'up'],
  ['init', 'remote-up', 'up'],
  ['up', 'remote-admin-down', 'down'],
  ['up', 'remote-down', 'down'],
  ['up', 'remote-init', 'up'],
  ['up', 'remote-up', 'up'],
  ['admin-down', 'remote-admin-down', 'admin-down'],
  ['admin-down', 'remote-down', 'admin-down'],
  ['admin-down', 'remote-init', 'admin-down'],
  ['admin-down', 'remote-up', 'admin-down'],
  ['down', 'expired', 'down'],
  ['init', 'expired', 'down'],
  ['up', 'expired', 'down'],
  ['admin-down', 'expired', 'admin-down'],
  ['down', 'disable', 'admin-down'],
  ['init', 'disable', 'admin-down'],
  ['up', 'disable', 'admin-down'],
  ['admin-down', 'enable', 'down'],
];

it.each(RECEPTION)('%s and %s: %s', (from, event, to) => {
  const machine = new Machine({ ...BFD_MACHINE, initial: from });
  machine.on(event);
  expect(machine.state).toBe(to);
});
