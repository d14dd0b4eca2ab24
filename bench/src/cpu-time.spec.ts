import { busyTicks, processTime, treeTicks } from './cpu-time.ts';

describe('cpu time', () => {
  it('counts what processes and other machines took, not idle time and not interrupts', () => {
    expect(busyTicks('cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n')).toBe(100 + 20 + 30 + 8);
  });

  it('reads a process whatever its name', () => {
    const fields = 'S 41 42 42 0 -1 4194304 1 2 3 4 10 20 3 4 20 0 1 0 99';
    expect(processTime(`42 (a b) c) ${fields}`)).toEqual({ pid: 42, parent: 41, ticks: 37 });
    expect(processTime('')).toBeUndefined();
  });

  it('adds up a tree, each process once', () => {
    const of = (pid: number, parent: number, ticks: number) => ({ pid, parent, ticks });
    const processes = [of(1, 0, 1000), of(10, 1, 1), of(11, 10, 2), of(12, 11, 4), of(20, 1, 8), of(30, 1, 16)];
    expect(treeTicks(processes, [10])).toBe(7);
    expect(treeTicks(processes, [10, 11, 30, 999])).toBe(23);
  });
});
