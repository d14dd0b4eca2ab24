import { readFileSync } from 'node:fs';

/** Columns of /proc/<pid>/stat after the command's name (proc(5)): state is the 3rd of all, start time the 22nd. */
const STATE = 0;
const START_TIME = 19;

/**
 * When a process started, in the kernel's ticks since boot: with its id it names a process for ever.
 * Undefined when there is no such process or it has ended and only waits for its parent.
 */
export function startTime(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // The process is gone, maybe since a moment ago.
  }
  // The name stands in parentheses and may hold blanks and parentheses itself.
  const columns = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return columns[STATE] === 'Z' || columns[STATE] === 'X' ? undefined : columns[START_TIME];
}
