import { checkMachine, Machine } from '@isthmus/core';
import { SESSION_EVENTS, SESSION_MACHINE, type SessionEvent, type SessionState, UNEXPECTED } from './session-machine.ts';

describe('the session table', () => {
  it('reaches every state and has an answer to every event', () => {
    expect(checkMachine(SESSION_MACHINE, SESSION_EVENTS)).toEqual([]);
  });

  it.each<[SessionEvent[], SessionState]>([
    [['start', 'connected', 'open', 'keepalive'], 'established'],
    [['start-passive', 'connected', 'open', 'keepalive', 'update', 'refresh'], 'established'],
    [['start', 'connect-failed'], 'active'],
    [['start', 'connect-failed', 'retry'], 'connect'],
    [['start', 'connected', 'end'], 'idle'],
    [['connected'], 'idle'],
  ])('%j leads to %s', (events, state) => {
    const machine = new Machine(SESSION_MACHINE);
    for (const event of events) machine.on(event);
    expect(machine.state).toBe(state);
  });

  it('has a subcode for every state in which a message can be the wrong one', () => {
    const states = Object.keys(SESSION_MACHINE.transitions) as SessionState[];
    const strict = states.filter(
      (state) => SESSION_MACHINE.transitions[state].open === 'idle' || SESSION_MACHINE.transitions[state].update === 'idle',
    );
    expect(strict.sort()).toEqual(Object.keys(UNEXPECTED).sort());
  });
});
