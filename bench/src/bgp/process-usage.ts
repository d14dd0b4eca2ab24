import { readdirSync, readFileSync } from 'node:fs';

const KIB_PER_MB = 1_000_000 / 1024;
const NS_PER_S = 1e9;

/** What a process has used so far. */
export interface ProcessUsage {
  /** Processor time of all its threads, in seconds. */
  readonly cpu: number;
  /** Resident memory now and at most until now, in MB (10^6 bytes). */
  readonly memory: ProcessMemory;
}

/** See {@link ProcessUsage.memory}. */
export interface ProcessMemory {
  readonly now: number;
  readonly peak: number;
}

/** Reads it from /proc. @throws Error when there is no such process */
export function processUsage(pid: number): ProcessUsage {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const cpu = tasks.reduce((sum, task) => sum + runSeconds(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8')), 0);
  return { cpu, memory: memoryOf(readFileSync(`/proc/${pid}/status`, 'utf8')) };
}

/** Seconds that a thread has run, of its schedstat: it counts in nanoseconds where /proc/<pid>/stat has ticks of 10 ms. */
export function runSeconds(schedstat: string): number {
  return Number.parseInt(schedstat, 10) / NS_PER_S;
}

/** Of the text of /proc/<pid>/status. */
export function memoryOf(status: string): ProcessMemory {
  const megabytes = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) / KIB_PER_MB;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
