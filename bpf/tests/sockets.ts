import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What the process answers to a command. */
export interface SocketAnswer {
  answer?: string;
  peer?: string;
  peerPort?: number;
  remote?: string;
  remotePort?: number;
  error?: string;
}

/** A process with sockets inside a cgroup and a network namespace; see fixtures/sockets.ts. */
export class SocketProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  /** The process joins the cgroup first: inside the namespace it could not. */
  constructor(cgroup: string, netns: string) {
    const fixture = fileURLToPath(new URL('./fixtures/sockets.ts', import.meta.url));
    const script = 'echo $$ > "$1/cgroup.procs" && exec nsenter "--net=$2" "$3" "$4"';
    this.#child = spawn('sh', ['-c', script, 'sh', cgroup, netns, process.execPath, fixture]);
    this.#child.stderr.on('data', (text) => process.stderr.write(text));
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  async #ask(command: object): Promise<SocketAnswer> {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const [line] = await once(this.#lines, 'line');
    return JSON.parse(line) as SocketAnswer;
  }

  /** Answers TCP and UDP with `name`. */
  async serve(host: string, port: number, name: string): Promise<void> {
    const { error } = await this.#ask({ op: 'serve', host, port, name });
    if (error !== undefined) throw new Error(`serve ${host}:${port}: ${error}`);
  }

  /** One TCP connection. */
  tcp(host: string, port: number): Promise<SocketAnswer> {
    return this.#ask({ op: 'tcp', host, port });
  }

  /** One question on the unconnected UDP socket of that name, which stays open. */
  udp(host: string, port: number, name: string): Promise<SocketAnswer> {
    return this.#ask({ op: 'udp', host, port, name });
  }

  /** One question on a new, connected UDP socket. */
  connected(host: string, port: number): Promise<SocketAnswer> {
    return this.#ask({ op: 'connected', host, port });
  }

  /** One question on a new UDP socket with a mark. */
  marked(host: string, port: number, mark: number): Promise<SocketAnswer> {
    return this.#ask({ op: 'marked', host, port, mark });
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }
}
