import { CodedError } from '@isthmus/core';
import type { Lab, PodPlace } from '@isthmus/lab';
import { BENCH_TRAFFIC } from '../bench.errors.ts';

/** From one pod to another. */
export interface Way {
  readonly lab: Lab;
  readonly from: PodPlace;
  readonly to: PodPlace;
  /** Of the receiving pod. */
  readonly address: string;
}

/** What to send over a way, see `traffic.c`. */
export interface TrafficKind {
  readonly receiver: 'sink' | 'echo' | 'count';
  readonly sender: 'stream' | 'ping-pong' | 'flood';
  /** Who measures. */
  readonly measuring: 'receiver' | 'sender';
  /** Processors that the two are pinned to. */
  readonly cpus: { readonly receiver: number; readonly sender: number };
  readonly milliseconds: number;
}

const FIRST_PORT = 20_000;
const PORTS = 10_000;
let runs = 0;

/**
 * Sends traffic once and answers what was measured. Both processes are processes of their pods: in the pod's network namespace, and in
 * its cgroup, where the socket hooks see them. Zero means that nearly all of the time nothing got through, as when somebody else has
 * the processor.
 * @throws CodedError BENCH_TRAFFIC
 */
export async function measure(program: string, way: Way, kind: TrafficKind): Promise<number> {
  // A port of its own for each run: nothing that is still on its way from the last one can be counted.
  const port = String(FIRST_PORT + (runs++ % PORTS));
  const { lab, from, to, address } = way;
  const receiving = [kind.receiver, port, String(kind.cpus.receiver)];
  const sending = [kind.sender, address, port, String(kind.milliseconds), String(kind.cpus.sender)];
  const [receiver, sender] = await Promise.all([lab.exec(to, [program, ...receiving]), lab.exec(from, [program, ...sending])]);
  const { stdout } = kind.measuring === 'receiver' ? receiver : sender;
  if (receiver.status === 0 && sender.status === 0 && stdout !== '') return Number(stdout);
  const said = `${receiver.stderr}${sender.stderr}`.trim() || 'it was cut short';
  throw new CodedError(BENCH_TRAFFIC, `${kind.sender} from ${from.netns} to ${to.netns} (${address}): ${said}`, { object: to.netns });
}
