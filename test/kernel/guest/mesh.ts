import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { end, say, start, textOf, uptime } from './machine.ts';
import { MESH_STEPS } from './mesh-steps.ts';

const LAB = ['--conditions=isthmus:source', 'lab/src/main.js'];
const NAME = 'machine';
/** A lab waits as long for an emulated processor. */
const PATIENCE = '20';

/** Runs a command of the lab, whose lines are shown as they come. @throws Error with the last of them when it fails */
async function lab(...words: readonly string[]): Promise<void> {
  const env = { ...process.env, ISTHMUS_LAB_PATIENCE: PATIENCE };
  const child = spawn('node', [...LAB, ...words, '--name', NAME], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const lines: string[] = [];
  const ended = once(child, 'close');
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      say({ kind: 'progress', text: line });
    });
  const [status] = await ended;
  if (status !== 0) throw new Error(`lab ${words.join(' ')} ended with ${status}:\n${lines.slice(-20).join('\n')}`);
}

async function step(name: string, run: () => Promise<void>): Promise<boolean> {
  const started = uptime();
  try {
    await run();
    say({ kind: 'test', file: name, name });
    return true;
  } catch (error) {
    say({ kind: 'test', file: name, name, error: textOf(error) });
    return false;
  } finally {
    say({ kind: 'file', file: name, seconds: uptime() - started });
  }
}

start();
const [up, ...checks] = MESH_STEPS;
if (await step(up, () => lab('up', 'test/kernel/guest/mesh.yaml')))
  for (const check of checks) await step(check, () => lab('verify', '--only', check));
end();
