import { cProgram } from './c-program.ts';

const SOURCE = new URL('./traffic.c', import.meta.url).pathname;

/** Path of the program of `traffic.c`. @throws CodedError LAB_COMMAND with the compiler's message */
export function trafficProgram(): Promise<string> {
  return cProgram('traffic', [SOURCE]);
}
