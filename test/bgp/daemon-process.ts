import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';

/** What the tier's set-up unpacks. */
const TOOLCHAIN = fileURLToPath(new URL('../../.toolchain/bgp/', import.meta.url));
const LIBRARIES = join(TOOLCHAIN, 'usr/lib/x86_64-linux-gnu');
const POLL_MS = 25;
/** Against hanging only. */
const PATIENCE_MS = 20_000;

/** A routing daemon of a test: its own folder, in the foreground, stopped by its own process. */
export class DaemonProcess {
  readonly folder: string;
  readonly #netns: string;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(netns: string) {
    this.#netns = netns;
    this.folder = mkdtempSync(join(tmpdir(), 'isthmus-bgp-'));
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** What it wrote to its standard error, the end of it. */
  get log(): string {
    return this.#log;
  }

  /** Starts a program inside the namespace: of the toolchain, unless its path is absolute. */
  start(program: string, words: readonly string[]): void {
    const path = isAbsolute(program) ? program : toolchain(program);
    const child = spawn('ip', ['netns', 'exec', this.#netns, path, ...words], { env: environment() });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#log = (this.#log + chunk).slice(-8_000)));
    this.#child = child;
  }

  /** Runs a client program of the toolchain inside the namespace. @returns what it printed, also when it failed */
  async ask(program: string, words: readonly string[]): Promise<string> {
    const run = promisify(execFile)('ip', ['netns', 'exec', this.#netns, join(TOOLCHAIN, program), ...words], { env: environment() });
    const { stdout, stderr } = await run.catch((error: { stdout?: string; stderr?: string }) => ({ stdout: '', stderr: '', ...error }));
    return stdout + stderr;
  }

  /** Ends the process: SIGTERM for a clean end, SIGKILL for a crash. `ip netns exec` became the daemon itself. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Has it do nothing, as on a machine that stalls, or lets it go on. */
  pause(stopped: boolean): void {
    this.#child?.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Waits until it ends by itself. @returns its exit status */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child?.exitCode ?? null;
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Where a program of the toolchain is. @throws Error when it is not there */
export function toolchain(program: string): string {
  const path = join(TOOLCHAIN, program);
  if (!existsSync(path)) throw new Error(`${path} is not there: scripts/setup-bgp fetches it, and says why when it cannot`);
  return path;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, LD_LIBRARY_PATH: `${LIBRARIES}:${LIBRARIES}/frr` };
}

/** Asks until the answer is right. @throws Error with the last answer when it never is */
export async function until<T>(what: string, ask: () => T | Promise<T>, right: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`${what} did not happen; last seen: ${inspect(answer, { depth: 4 })}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
