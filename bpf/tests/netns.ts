import { execFileSync } from 'node:child_process';

/** A network namespace of the test's own. */
export interface TestNetns {
  name: string;
  /** Its file, for entering. */
  path: string;
  /** Runs `ip` inside; words are split at spaces. */
  ip(command: string): void;
  /** Runs many such commands in one process. */
  ipBatch(commands: readonly string[]): void;
  /** Runs a program inside. @returns what it printed, also when it failed */
  exec(command: string): string;
  remove(): void;
}

/** Makes a namespace whose name carries this process's id, with its loopback up. */
export function createNetns(label: string): TestNetns {
  const name = `isthbpf-${process.pid}-${label}`;
  const ip = (command: string): void =>
    void execFileSync('ip', ['-n', name, ...command.split(' ')], { stdio: ['ignore', 'ignore', 'pipe'] });
  execFileSync('ip', ['netns', 'add', name]);
  ip('link set lo up');
  return {
    name,
    path: `/run/netns/${name}`,
    ip,
    ipBatch: (commands) =>
      void execFileSync('ip', ['-n', name, '-batch', '-'], { input: `${commands.join('\n')}\n`, stdio: ['pipe', 'ignore', 'pipe'] }),
    exec: (command) => run(['nsenter', `--net=/run/netns/${name}`, ...command.split(' ')]),
    remove: () => void execFileSync('ip', ['netns', 'del', name]),
  };
}

function run([program = '', ...args]: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}`;
  }
}
