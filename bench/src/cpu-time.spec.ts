import { foreignTicks, processTime, stolenTicks } from './cpu-time.ts';

describe('cpu time', () => {
  it('counts what other machines took', () => {
    expect(stolenTicks('cpu  100 20 30 4000 500 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n')).toBe(8);
  });

  it('reads a process whatever its name', () => {
    const fields = 'S 41 42 42 0 -1 4194304 1 2 3 4 10 20 3 4 20 0 1 0 99';
    expect(processTime(`42 (a b) c) ${fields}`)).toEqual({ pid: 42, parent: 41, name: 'a b) c', ticks: 37 });
    expect(processTime('')).toBeUndefined();
  });

  const of = (pid: number, parent: number, ticks: number, name = 'x') => ({ pid, parent, name, ticks });
  const processes = [of(1, 0, 1000), of(10, 1, 1), of(11, 10, 2), of(12, 11, 4), of(20, 1, 8), of(30, 1, 16)];

  it('adds up who does not descend from us, each process once', () => {
    expect(foreignTicks(processes, [10])).toBe(1024);
    expect(foreignTicks(processes, [10, 11, 30, 999])).toBe(1008);
  });

  it('blames nobody for interrupts that were put off', () => {
    expect(foreignTicks([...processes, of(14, 2, 500, 'ksoftirqd/0')], [10])).toBe(1024);
  });
});
