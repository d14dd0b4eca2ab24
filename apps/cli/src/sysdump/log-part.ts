import { basename } from 'node:path';
import type { DumpFile, DumpPart } from './dump-part.ts';
import type { Machine } from './machine.ts';

/** Of a log, its end tells what happened. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_JOURNAL_LINES = 50_000;
/** Where journald keeps its files. The program to read them may be there without any. */
const JOURNALS = ['/var/log/journal', '/run/log/journal'];

/** Log files that were named, and what the journal has of our units, where there is a journal. */
export function logPart(machine: Machine, files: readonly string[]): DumpPart {
  const named = files.map(
    (file, index): DumpFile => ({ path: `logs/${index + 1}-${basename(file)}`, read: () => machine.readEnd(file, MAX_BYTES) }),
  );
  const journal: DumpFile = { path: 'logs/journal.txt', read: () => readJournal(machine) };
  return { name: 'logs', files: async () => [...named, ...((await hasJournal(machine)) ? [journal] : [])] };
}

async function hasJournal(machine: Machine): Promise<boolean> {
  if (!machine.hasProgram('journalctl')) return false;
  // One that may not be listed may still be there: reading it says why not.
  const found = JOURNALS.filter((path) => machine.exists(path)).map((path) => machine.tree(path).catch(() => path));
  return (await Promise.all(found)).some((files) => files !== '');
}

function readJournal(machine: Machine): Promise<string> {
  return machine.run(['journalctl', '--unit=isthmus*', '--no-pager', '--quiet', '--output=short-iso', `--lines=${MAX_JOURNAL_LINES}`]);
}
