import { CodedError } from '@isthmus/core';
import { LAB_NO_SUCH } from '../lab.errors.ts';
import { clock } from './clock.faults.ts';
import { diskFull } from './disk.faults.ts';
import { compact, quota, wipe } from './etcd.faults.ts';
import type { Fault } from './fault.ts';
import { blackhole, cut, cutLink, silenceLink, slow } from './network.faults.ts';
import { kill, stop, stutter } from './process.faults.ts';

/** A kind of fault that can be asked for by its name and arguments. */
export interface FaultKind {
  readonly name: string;
  /** `<process>` */
  readonly usage: string;
  /** What goes wrong, in one sentence. */
  readonly what: string;
  readonly arguments: number;
  make(...args: string[]): Fault;
}

const kind = (name: string, usage: string, what: string, make: (...args: string[]) => Fault): FaultKind => ({
  name,
  usage,
  what,
  arguments: usage.split(' ').length,
  make,
});

/** Every kind of fault that needs nothing but its words. */
export const FAULTS: readonly FaultKind[] = [
  kind('kill', '<process>', 'SIGKILL; started again afterwards', (id = '') => kill(id)),
  kind('stop', '<process>', 'SIGSTOP; it goes on afterwards', (id = '') => stop(id)),
  kind('stutter', '<process> <milliseconds>', 'SIGSTOP again and again, for up to so long each time', (id = '', ms = '') =>
    stutter(id, number(ms)),
  ),
  kind('cut', '<place>', 'the cables of a node or control plane are pulled out', (id = '') => cut(id)),
  kind('cut-link', '<node> <device>', 'one of its cables is pulled out: up0', (id = '', device = '') => cutLink(id, device)),
  kind('silence-link', '<node> <device>', 'nothing passes one of its cables, and nobody is told', (id = '', device = '') =>
    silenceLink(id, device),
  ),
  kind('blackhole', '<side> <side>', 'packets between two places or clusters vanish', (one = '', other = '') => blackhole(one, other)),
  kind('slow', '<place> <kilobits/s>', 'a cable carries little', (id = '', kilobits = '') => slow(id, number(kilobits))),
  kind('wipe', '<etcd>', 'an etcd loses everything', (id = '') => wipe(id)),
  kind('compact', '<etcd>', 'an etcd forgets its history', (id = '') => compact(id)),
  kind('quota', '<etcd>', 'an etcd is full', (id = '') => quota(id)),
  kind('disk-full', '<cluster> <node>', "the disk of an agent's state is full", (cluster = '', node = '') => diskFull(cluster, node)),
  kind('clock', '<seconds>', "the wall clock of the mesh's own processes jumps", (seconds = '') => clock(number(seconds))),
];

/**
 * The fault that is meant by its words: `kill east/n1/agent`.
 * @throws CodedError LAB_NO_SUCH
 */
export function faultNamed(words: readonly string[]): Fault {
  const [name = '', ...args] = words;
  const found = FAULTS.find((one) => one.name === name);
  if (!found) throw noSuch(`there is no fault ${name}; there are ${FAULTS.map((one) => one.name).join(', ')}`, name);
  if (args.length !== found.arguments) throw noSuch(`a fault is asked for like this: ${name} ${found.usage}`, name);
  return found.make(...args);
}

function number(text: string): number {
  if (/^[+-]?[0-9]+$/.test(text)) return Number(text);
  throw noSuch(`${JSON.stringify(text)} is no number`, text);
}

function noSuch(message: string, object: string): CodedError {
  return new CodedError(LAB_NO_SUCH, message, { object, action: "See 'npm run lab -- fault' for what there is." });
}
