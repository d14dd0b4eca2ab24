import { checkMachine } from '@isthmus/core';
import { REMOTE_CLUSTER_MACHINE, REMOTE_OUTER_EVENTS } from './remote-cluster.machine.ts';

it('reaches every state and handles what comes from outside in each', () => {
  expect(checkMachine(REMOTE_CLUSTER_MACHINE, REMOTE_OUTER_EVENTS)).toEqual([]);
});

it('lets every state be stopped, and every running one be removed', () => {
  for (const [state, transitions] of Object.entries(REMOTE_CLUSTER_MACHINE.transitions)) {
    if (state !== 'stopped') expect(transitions.stop).toBe('stopped');
    if (!['stopped', 'removed', 'removing'].includes(state)) expect(transitions.remove).toBe('removing');
  }
});
