import { openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import koffi from 'koffi';
import { type Report, reportLine } from './report.ts';
import { runFile } from './runner.ts';
import { SPECS } from './specs.ts';

/** Numbers of system calls of x86-64, and what reboot(2) wants to hear. */
const FINIT_MODULE = 313;
const REBOOT = 169;
const REBOOT_MAGIC = [0xfee1dead, 0x28121969, 0x4321fedc] as const;
const MODULES = '/modules';
const CONSOLE = 1;

const syscall = koffi.load('libc.so.6').func('long syscall(long number, long a, const char *b, long c)');
const reboot = koffi.load('libc.so.6').func('long syscall(long number, long magic, long magic2, long what)');

/** The whole line at once: the machine may end right behind it. */
function say(report: Report): void {
  writeSync(CONSOLE, reportLine(report));
}

function loadModules(): void {
  for (const name of readdirSync(MODULES).sort())
    if (Number(syscall(FINIT_MODULE, openSync(`${MODULES}/${name}`, 'r'), '', 0)) < 0)
      writeSync(CONSOLE, `module ${name} was not loaded: errno ${koffi.errno()}\n`);
}

const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

loadModules();
say({ kind: 'booted', kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(), seconds: uptime() });
for (const file of SPECS) {
  const started = uptime();
  try {
    await runFile(pathToFileURL(file).href, (name, error) =>
      say({ kind: 'test', file, name, ...(error === undefined ? {} : { error: textOf(error) }) }),
    );
  } catch (error) {
    say({ kind: 'test', file, name: 'the file itself', error: textOf(error) });
  }
  say({ kind: 'file', file, seconds: uptime() - started });
}
say({ kind: 'end' });
reboot(REBOOT, ...REBOOT_MAGIC);
