/** Processor time of one process, in clock ticks. */
export interface ProcessTime {
  readonly pid: number;
  readonly parent: number;
  /** As the kernel has it, without brackets. */
  readonly name: string;
  /** Its own, and that of its children that have ended. */
  readonly ticks: number;
}

/** Ticks per second of every time under /proc. */
export const TICKS_PER_SECOND = 100;

/** Runs what interrupts left over for later, whoever they were for. */
const INTERRUPT_THREAD = /^ksoftirqd\//;

/** Ticks that the machine's processors lost to other machines (steal), from the text of /proc/stat. */
export function stolenTicks(stat: string): number {
  const fields = (stat.split('\n', 1)[0] ?? '').split(/\s+/).map(Number);
  return fields[8] ?? 0;
}

/** One process, from the text of /proc/<pid>/stat; undefined when it is none. The name may hold spaces and brackets. */
export function processTime(stat: string): ProcessTime | undefined {
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
  const ticks = (user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0);
  const pid = Number.parseInt(stat, 10);
  const name = stat.slice(stat.indexOf('(') + 1, nameEnd);
  return Number.isNaN(ticks + pid) ? undefined : { pid, parent: parent ?? 0, name, ticks };
}

/** Ticks of all processes but some and all that descend from them. */
export function foreignTicks(processes: readonly ProcessTime[], ownRoots: readonly number[]): number {
  const counted = processes.filter(({ name }) => !INTERRUPT_THREAD.test(name));
  const all = counted.reduce((sum, { ticks }) => sum + ticks, 0);
  return all - treeTicks(counted, ownRoots);
}

function treeTicks(processes: readonly ProcessTime[], roots: readonly number[]): number {
  const children = Map.groupBy(processes, ({ parent }) => parent);
  const byPid = new Map(processes.map((each) => [each.pid, each]));
  const seen = new Set<number>();
  const waiting = [...roots];
  let ticks = 0;
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    ticks += byPid.get(pid)?.ticks ?? 0;
    waiting.push(...(children.get(pid) ?? []).map((child) => child.pid));
  }
  return ticks;
}
