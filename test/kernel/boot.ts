import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Report, readReport } from './guest/report.ts';

/** What `scripts/setup-kernel` and its like have unpacked. */
export interface Machine {
  /** Where QEMU is. */
  readonly root: string;
  readonly kernel: string;
  /** `6.1.0-56-cloud-amd64` */
  readonly release: string;
  /** The kernel's folder of modules. */
  readonly modules: string;
}

/** What is booted, and how large. */
export interface BootOptions {
  readonly memoryMb: number;
  /** The program in `guest` that is run. */
  readonly main: string;
}

/** What its file's name begins with. */
const KERNEL = 'vmlinuz-';
/**
 * All that QEMU can emulate but `cmpxchg16b`: QEMU 7.2 may spoil the flags of a processor there, and kernels from 6.5 on, whose allocator uses it all the
 * time, die of that.
 */
const PROCESSOR = 'max,-cx16';
/** Of the console, for whoever must find out why a machine did not get anywhere. */
const TAIL_LINES = 40;

/** Finds QEMU among the packages unpacked in `root`, and a kernel among those in `folder`. */
export function findMachine(root: string, folder: string): Machine {
  const release = readdirSync(join(folder, 'boot'))
    .find((file) => file.startsWith(KERNEL))
    ?.slice(KERNEL.length);
  if (release === undefined) throw new Error(`there is no kernel in ${folder}/boot`);
  return { root, release, kernel: join(folder, 'boot', `${KERNEL}${release}`), modules: join(folder, 'lib/modules', release) };
}

/**
 * Boots a machine, emulated in software (`tcg`: a nested hypervisor may hang), and hears what it says until it powers off.
 * @throws Error with the end of its console when it ended early, or was stopped by the signal
 */
export async function boot(
  machine: Machine,
  image: string,
  options: BootOptions,
  onReport: (report: Report) => void,
  signal: AbortSignal,
): Promise<void> {
  const child = spawn(join(machine.root, 'usr/bin/qemu-system-x86_64'), qemuArguments(machine, image, options), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath(machine.root) },
    signal,
  });
  const tail: string[] = [];
  const closed = once(child, 'close');
  closed.catch(() => undefined);
  child.stderr.setEncoding('utf8').on('data', (text: string) => tail.push(text));
  let ended = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const report = readReport(line);
    if (report) onReport(report);
    else tail.push(line);
    ended ||= report?.kind === 'end';
  }
  await closed.catch(() => undefined);
  if (!ended) throw new Error(`the machine ended before its tests did:\n${tail.slice(-TAIL_LINES).join('\n')}`);
}

function qemuArguments({ root, kernel }: Machine, image: string, { memoryMb, main }: BootOptions): string[] {
  const firmware = ['qemu', 'seabios'].flatMap((name) => ['-L', join(root, 'usr/share', name)]);
  const processor = ['-accel', 'tcg,thread=multi', '-cpu', PROCESSOR, '-smp', '2', '-m', String(memoryMb)];
  const system = ['-kernel', kernel, '-initrd', image, '-append', `console=ttyS0 quiet panic=-1 mitigations=off isthmus_main=${main}`];
  return [...firmware, ...processor, ...system, '-nographic', '-no-reboot', '-nic', 'none'];
}

function libraryPath(root: string): string {
  return ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((folder) => join(root, folder)).join(':');
}
