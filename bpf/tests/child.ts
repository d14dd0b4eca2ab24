import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A Node process inside a network namespace: its first line, the lines after it, and its end. */
export interface Child {
  line: string;
  next(): Promise<string>;
  stop(): Promise<void>;
}

/** Runs a script inside a namespace and waits for its first line. */
export async function startInside(netns: string, script: string): Promise<Child> {
  const child = spawn('ip', ['netns', 'exec', netns, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value ?? '';
  const exited = once(child, 'exit');
  return {
    line: await next(),
    next,
    stop: async () => {
      child.kill(); // `ip netns exec` became the process itself: there is nobody in between
      await exited;
    },
  };
}
