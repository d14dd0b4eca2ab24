import { checkMachine, Machine, type MachineDefinition } from './fsm.ts';

type S = 'idle' | 'busy' | 'broken';
type E = 'start' | 'stop';
const definition: MachineDefinition<S, E> = {
  name: 'worker',
  initial: 'idle',
  transitions: { idle: { start: 'busy' }, busy: { stop: 'idle' }, broken: {} },
  ignores: { idle: ['stop'] },
};

describe('Machine', () => {
  it('moves, ignores what the table ignores, and throws on what it forgot', () => {
    const machine = new Machine(definition);
    expect(machine.on('stop')).toBeUndefined();
    expect(machine.on('start')).toEqual({ from: 'idle', event: 'start', to: 'busy' });
    expect(() => machine.on('start')).toThrow('event start is not in the table for state busy');
  });

  it('checkMachine finds unreachable states and unhandled events', () => {
    expect(checkMachine(definition, ['start', 'stop'])).toEqual([
      { kind: 'unhandled', state: 'busy', event: 'start' },
      { kind: 'unreachable', state: 'broken' },
      { kind: 'unhandled', state: 'broken', event: 'start' },
      { kind: 'unhandled', state: 'broken', event: 'stop' },
    ]);
  });
});
