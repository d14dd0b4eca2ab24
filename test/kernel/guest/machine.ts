import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import koffi from 'koffi';
import { type Report, reportLine } from './report.ts';

/** Numbers of system calls of x86-64, and what reboot(2) wants to hear. */
const FINIT_MODULE = 313;
const REBOOT = 169;
const REBOOT_MAGIC = [0xfee1dead, 0x28121969, 0x4321fedc] as const;
const MODULES = '/modules';
const CONSOLE = 1;

const syscall = koffi.load('libc.so.6').func('long syscall(long number, long a, const char *b, long c)');
const tcdrain = koffi.load('libc.so.6').func('int tcdrain(int fd)');
const reboot = koffi.load('libc.so.6').func('long syscall(long number, long magic, long magic2, long what)');

/** Tells who has booted the machine. The whole line at once: the machine may end right behind it. */
export function say(report: Report): void {
  writeSync(CONSOLE, reportLine(report));
}

/** Loads the kernel's modules, and says that the machine is up. */
export function start(): void {
  for (const name of readdirSync(MODULES).sort())
    if (Number(syscall(FINIT_MODULE, openSync(`${MODULES}/${name}`, 'r'), '', 0)) < 0)
      writeSync(CONSOLE, `module ${name} was not loaded: errno ${koffi.errno()}\n`);
  say({ kind: 'booted', kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), seconds: uptime() });
}

/** Says that this was all, and powers off when the console has got all of it. */
export function end(): void {
  say({ kind: 'end' });
  tcdrain(CONSOLE);
  reboot(REBOOT, ...REBOOT_MAGIC);
}

/** Seconds since the kernel began. */
export function uptime(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
}

/** What is said of an error. */
export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
