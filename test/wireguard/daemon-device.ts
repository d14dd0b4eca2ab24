import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunProgram } from '@isthmus/crypto';
import { waitUntil } from '@isthmus/lab';
import { runIn, SOCKETS, tool } from './netns-command.ts';

const START_MS = 5_000;
let devices = 0;

/** One device of wireguard-go in a network namespace of its own, set up with nothing. */
export class DaemonDevice {
  readonly name: string;
  /** Runs one of WireGuard's programs where the device is. */
  readonly run: RunProgram;
  readonly #netns: string;
  readonly #daemon: ChildProcess;

  private constructor(name: string) {
    this.name = name;
    this.#netns = `isthwg-${name}`;
    this.run = (program, words) => runIn(this.#netns, tool(program), words);
    execFileSync('ip', ['netns', 'add', this.#netns]);
    this.#daemon = spawn('ip', ['netns', 'exec', this.#netns, tool('wireguard-go'), '-f', name], { stdio: 'ignore' });
  }

  get socket(): string {
    return join(SOCKETS, `${this.name}.sock`);
  }

  static async start(): Promise<DaemonDevice> {
    const device = new DaemonDevice(`wgp${process.pid}n${++devices}`);
    const isThere = (): boolean => existsSync(device.socket);
    await waitUntil(isThere, { what: `the daemon of ${device.name}`, timeoutMs: START_MS });
    return device;
  }

  /** Ends the daemon so that it can clean nothing up. */
  async kill(): Promise<void> {
    const ended = once(this.#daemon, 'exit');
    this.#daemon.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    if (this.#daemon.exitCode === null && this.#daemon.signalCode === null) {
      const ended = once(this.#daemon, 'exit');
      this.#daemon.kill('SIGTERM');
      await ended;
    }
    rmSync(this.socket, { force: true }); // One that was killed has left it.
    execFileSync('ip', ['netns', 'delete', this.#netns]);
  }
}
