export { systemClock } from './adapters/system-clock.ts';
export { systemRandom } from './adapters/system-random.ts';
export { Backoff, type BackoffOptions } from './backoff.ts';
export { type Cancel, type Clock, delay, ManualClock } from './clock.ts';
export { CodedError, defineError, type ErrorCode, type ErrorDetail, errorCodes, isCoded, messageOf } from './coded-error.ts';
export { checkMachine, Machine, type MachineDefinition, type MachineFault, type Transition } from './fsm.ts';
export { type Random, seededRandom } from './random.ts';
