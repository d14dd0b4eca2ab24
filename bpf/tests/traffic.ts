import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestNetns } from './netns.ts';

/** The lab's traffic program; `make objects` builds it. */
const PROGRAM = fileURLToPath(new URL('../../.toolchain/lab/isthmus-traffic', import.meta.url));
const PORT = 8080;
const DATAGRAM_BYTES = 1200;
const FIRST_ANSWER_MS = 10_000;

/** Datagrams that were sent to an address in super-packets, and how many of them came back. */
export interface BurstResult {
  target: string;
  sent: number;
  answered: number;
}

/** Starts a server in a namespace that sends every datagram back; resolves when it listens. */
export async function startEcho({ name }: TestNetns): Promise<{ stop(): Promise<void> }> {
  const child = spawn('ip', ['netns', 'exec', name, PROGRAM, 'echo', '--name', name, '--port', String(PORT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return {
    stop: async () => {
      child.kill(); // `ip netns exec` became the program itself
      await exited;
    },
  };
}

/** What came of a flow of numbered packets that the server answers one by one. */
export interface FlowResult {
  sent: number;
  answered: number;
  duplicates: number;
  errors: number;
}

/** Sends numbered packets from a namespace to the server at an address until it is told to end; resolves at the first answer. */
export async function startFlow({ name }: TestNetns, ip: string, pps: number): Promise<{ end(): Promise<FlowResult> }> {
  const child = spawn('ip', ['netns', 'exec', name, PROGRAM, 'flow', '--pps', String(pps), target(ip)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const waiting = setTimeout(() => child.kill(), FIRST_ANSWER_MS);
  const { done } = await lines.next();
  clearTimeout(waiting);
  if (done) throw new Error(`${ip} does not answer`);
  return {
    end: async () => {
      child.stdin.end();
      return JSON.parse((await lines.next()).value ?? '{}') as FlowResult;
    },
  };
}

/** Sends super-packets (UDP_SEGMENT) from a namespace to the servers at these addresses, and waits for each one's datagrams. */
export function burst(from: TestNetns, addresses: readonly string[], { count = 20, timeoutMs = 1000 } = {}): BurstResult[] {
  const targets = addresses.map(target);
  const said = from.exec(`${PROGRAM} burst --count ${count} --bytes ${DATAGRAM_BYTES} --timeout-ms ${timeoutMs} ${targets.join(' ')}`);
  return said
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as BurstResult);
}

function target(ip: string): string {
  return `UDP/${ip.includes(':') ? `[${ip}]` : ip}:${PORT}`;
}
