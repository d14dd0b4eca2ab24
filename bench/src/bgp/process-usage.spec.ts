import { memoryOf, processUsage, runSeconds } from './process-usage.ts';

describe('what a process has used', () => {
  it('has the time of a thread in nanoseconds', () => {
    expect(runSeconds('1500000000 77 3\n')).toBe(1.5);
  });

  it('has memory in units of 1024 bytes', () => {
    const status = 'Name:\tbird\nVmPeak:\t  999999 kB\nVmHWM:\t  125000 kB\nVmRSS:\t   62500 kB\nRssAnon:\t 1 kB\n';
    expect(memoryOf(status)).toEqual({ peak: 128, now: 64 });
  });

  it('tells of this process', () => {
    const { cpu, memory } = processUsage(process.pid);
    expect(cpu).toBeGreaterThan(0);
    expect(memory.peak).toBeGreaterThanOrEqual(memory.now);
    expect(memory.now).toBeGreaterThan(10);
  });
});
