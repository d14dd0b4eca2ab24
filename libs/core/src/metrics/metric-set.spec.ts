import { measureOwnProcess } from '../adapters/own-process.ts';
import { prometheusText } from '../adapters/prometheus-text.ts';
import { defineMetrics, metricLists } from './metric-declaration.ts';
import { MetricSet } from './metric-set.ts';
import { LOOP_METRICS, processMetrics } from './process-metrics.ts';

const THINGS = defineMetrics('spec', {
  things_total: { type: 'counter', labels: ['kind', 'place'], unit: 'things', help: 'Things that came' },
  ready: { type: 'gauge', labels: [], unit: '1 or 0', help: '1 when ready' },
  starts_total: { type: 'counter', labels: [], unit: 'starts', help: 'Starts' },
});

/** Lines of a metric's values. */
async function lines(metrics: MetricSet<typeof THINGS>): Promise<string[]> {
  const { body } = await prometheusText(metrics);
  return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('MetricSet', () => {
  it('counts by labels, whatever their order, and takes the last value of a gauge', async () => {
    const metrics = new MetricSet(THINGS);
    metrics.add('things_total', { place: 'x', kind: 'a' }, 2);
    metrics.add('things_total', { kind: 'a', place: 'x' });
    metrics.add('things_total', { kind: 'b', place: 'x' });
    metrics.set('ready', {}, 0);
    metrics.set('ready', {}, 1);
    expect(await lines(metrics)).toEqual([
      'things_total{kind="a",place="x"} 3',
      'things_total{kind="b",place="x"} 1',
      'ready 1',
      'starts_total 0',
    ]);
  });

  it('reads when it is asked, anew each time, and leaves out what could not be read', async () => {
    const metrics = new MetricSet(THINGS);
    let count = 5;
    metrics.read('things_total', () => [
      [{ kind: 'a', place: '"q"\n' }, count],
      [{ kind: 'b', place: '' }, Number.NaN],
    ]);
    expect((await lines(metrics))[0]).toBe('things_total{kind="a",place="\\"q\\"\\n"} 5');
    count = 6;
    expect(await lines(metrics)).toEqual(['things_total{kind="a",place="\\"q\\"\\n"} 6', 'starts_total 0']);
  });

  it('says of each metric what it is, also of one without values', async () => {
    const { body, contentType } = await prometheusText(new MetricSet(THINGS));
    expect(contentType).toContain('text/plain');
    expect(body).toContain('# HELP things_total Things that came\n# TYPE things_total counter\n');
    expect(body).not.toContain('ready');
  });

  it('reads this very process', async () => {
    const metrics = new MetricSet({ ...processMetrics('x_'), ...LOOP_METRICS });
    measureOwnProcess(metrics, 'x_');
    const values = Object.fromEntries((await metrics.measure()).map(({ name, samples }) => [name, samples[0]?.[1] ?? Number.NaN]));
    expect(Object.values(values).every((value) => value > 0)).toBe(true);
    expect(values['x_process_resident_memory_bytes']).toBeLessThan(values['x_process_virtual_memory_bytes'] as number);
    expect(values['x_process_open_fds']).toBeLessThanOrEqual(values['x_process_max_fds'] as number);
  });
});

describe('defineMetrics', () => {
  it('takes one list per process, with names that fit their types', () => {
    expect(metricLists().get('spec')).toBe(THINGS);
    expect(() => defineMetrics('spec', {})).toThrow('twice');
    expect(() => defineMetrics('other', { a_total: { type: 'gauge', labels: [], unit: '', help: '' } })).toThrow('a_total');
    expect(() => defineMetrics('other', { a: { type: 'counter', labels: [], unit: '', help: '' } })).toThrow('_total');
    expect(metricLists().has('other')).toBe(false);
  });
});
