/** Processor time of one process, in clock ticks. */
export interface ProcessTime {
  readonly pid: number;
  readonly parent: number;
  /** Its own, and that of its children that have ended. */
  readonly ticks: number;
}

/** Ticks per second of every time under /proc. */
export const TICKS_PER_SECOND = 100;

/**
 * Ticks that the machine's processors spent on processes (user, nice, system) or lost to other machines (steal), from the text of
 * /proc/stat. Interrupts are left out: they cannot be told apart by who caused them.
 */
export function busyTicks(stat: string): number {
  const [, user = 0, nice = 0, system = 0, , , , , steal = 0] = (stat.split('\n', 1)[0] ?? '').split(/\s+/).map(Number);
  return user + nice + system + steal;
}

/** One process, from the text of /proc/<pid>/stat; undefined when it is none. The name may hold spaces and brackets. */
export function processTime(stat: string): ProcessTime | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
  const ticks = (user ?? 0) + (system ?? 0) + (childUser ?? 0) + (childSystem ?? 0);
  const pid = Number.parseInt(stat, 10);
  return Number.isNaN(ticks + pid) ? undefined : { pid, parent: parent ?? 0, ticks };
}

/** Ticks of some processes and all that descend from them. */
export function treeTicks(processes: readonly ProcessTime[], roots: readonly number[]): number {
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
