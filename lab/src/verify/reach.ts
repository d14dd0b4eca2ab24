import { l4Key } from '@isthmus/model';
import type { Lab } from '../lab.ts';
import type { Addresses, Place } from '../topology/plan.ts';
import { type Answer, ask } from '../traffic/ask.ts';
import { ECHO_PORT } from '../traffic/traffic-program.ts';
import type { Pair } from './pairs.ts';
import { ping } from './ping.ts';

/** What a pair can be reached by. */
export const WAYS = ['ICMP', 'TCP', 'UDP'] as const;
/** One of {@link WAYS}. */
export type Way = (typeof WAYS)[number];

/** One attempt over one family. */
export interface Attempt {
  readonly from: Place;
  readonly to: Place;
  readonly address: string;
  /** What was wrong; empty when it worked. */
  readonly problem: string;
  /** The client's address and port as the server saw them; empty for ICMP. */
  readonly saw: string;
}

/** How many programs are started at the same time. */
const AT_ONCE = 8;

/** Tries every pair over both families. The receiver is asked who it is: an answer of anybody else is a problem. */
export async function reachAll(lab: Lab, pairs: readonly Pair[], way: Way, addressesOf: (place: Place) => Addresses): Promise<Attempt[]> {
  const senders = [...new Set(pairs.map(({ from }) => from))];
  return (
    await inTurns(senders, (from) => {
      const receivers = pairs.filter((pair) => pair.from === from).map(({ to }) => to);
      return way === 'ICMP' ? pingEach(lab, from, receivers, addressesOf) : askEach(lab, from, receivers, way, addressesOf);
    })
  ).flat();
}

async function pingEach(lab: Lab, from: Place, receivers: readonly Place[], addressesOf: (place: Place) => Addresses): Promise<Attempt[]> {
  const wanted = receivers.flatMap((to) => both(addressesOf(to)).map((address) => ({ from, to, address })));
  return inTurns(wanted, async (one) => ({ ...one, problem: (await ping(lab, from, one.address)) ? '' : 'no answer', saw: '' }));
}

async function askEach(
  lab: Lab,
  from: Place,
  receivers: readonly Place[],
  protocol: 'TCP' | 'UDP',
  addressesOf: (place: Place) => Addresses,
): Promise<Attempt[]> {
  const wanted = receivers.flatMap((to) => both(addressesOf(to)).map((address) => ({ from, to, address })));
  const answers = await ask(
    lab,
    from,
    wanted.map(({ address }) => l4Key(protocol, address, ECHO_PORT)),
  );
  return wanted.map((one, index) => ({ ...one, problem: problemOf(one.to, answers[index]), saw: answers[index]?.saw ?? '' }));
}

function problemOf(to: Place, answer: Answer | undefined): string {
  if (!answer?.ok) return answer?.error ?? 'no answer';
  return answer.server === to.id ? '' : `${answer.server} answered`;
}

/** Says what went wrong, in a few words. */
export function problems(attempts: readonly Attempt[]): string {
  return attempts
    .filter(({ problem }) => problem !== '')
    .map(({ from, to, address, problem }) => `${from.id} to ${to.id} (${address}): ${problem}`)
    .join('; ');
}

function both({ ipv4, ipv6 }: Addresses): string[] {
  return [ipv4, ipv6];
}

/** Like `Promise.all` over a map, with a bound on how many run together. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
