import { seededRandom } from '@isthmus/core';
import { runSeries, type Samples, type Series, type SeriesMetric } from './series.ts';

const metric = (fields: Partial<SeriesMetric>): SeriesMetric => ({
  name: 'p99',
  unit: 'ms',
  better: 'lower',
  goal: { must: 'be at most', value: 25 },
  statistic: 'p99',
  of: 'ours',
  peer: null,
  ...fields,
});
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
const run = async (metrics: SeriesMetric[], fields: Partial<Series> = {}, foreign: (round: number) => number = () => 0) => {
  let round = 0;
  const series = { name: 'a series', rounds: 10, round: async (): Promise<Samples> => ({ ours: upTo(100) }), metrics, ...fields };
  return runSeries(series, { noise: () => () => foreign(round++), random: seededRandom(1) });
};

describe('runSeries', () => {
  it('pools the samples of all rounds: a p99 takes a thousand of them', async () => {
    const [p99, p50, total, mean] = await run([
      metric({}),
      metric({ statistic: 'p50' }),
      metric({ statistic: 'sum', goal: null }),
      metric({ statistic: 'mean', goal: null }),
    ]);
    expect(p99).toMatchObject({ ours: 99, interval: [99, 99], judgement: 'missed', rounds: 10, voided: 0 });
    expect(p50).toMatchObject({ ours: 50, interval: [50, 50], judgement: 'missed' });
    expect([total?.ours, mean?.ours, total?.judgement]).toEqual([50_500, 50.5, null]);
    const few = { round: async (): Promise<Samples> => ({ ours: upTo(99) }) };
    expect(await run([metric({})], few)).toMatchObject([{ ours: null, interval: null, judgement: 'inconclusive' }]);
  });

  it('says the middle and the largest of one sample a round', async () => {
    let round = 0;
    const [median, largest] = await run([metric({ statistic: 'median' }), metric({ statistic: 'max' })], {
      round: async () => ({ ours: [round++] }),
    });
    expect([median?.ours, largest?.ours]).toEqual([4, 9]);
  });

  it('compares with the peer’s samples of the same rounds', async () => {
    let scale = 1;
    const round = async (): Promise<Samples> => {
      scale *= 1.1;
      return { ours: upTo(100).map((value) => value * 2 * scale), peer: upTo(100).map((value) => value * scale) };
    };
    const half = { must: 'be at least', value: 0.51 } as const;
    const [p99] = await run([metric({ peer: 'peer', goal: half })], { round });
    expect(p99?.ratio).toBeCloseTo(0.5, 9);
    expect(p99?.interval?.map((bound) => Number(bound.toFixed(9)))).toEqual([0.5, 0.5]);
    expect(p99?.judgement).toBe('missed');
  });

  it('draws whole rounds for the interval: one slow round of ten makes a p99 uncertain', async () => {
    let rounds = 0;
    const round = async (): Promise<Samples> => ({ ours: Array(100).fill(rounds++ === 0 ? 100 : 10) });
    expect(await run([metric({})], { round })).toMatchObject([{ ours: 100, interval: [10, 100], judgement: 'met' }]);
  });

  it('leaves out disturbed rounds, but not where every round counts', async () => {
    let rounds = 0;
    const round = async (): Promise<Samples> => ({ ours: upTo(100), lost: [rounds++ % 2] });
    const lost = metric({ name: 'lost', statistic: 'sum', of: 'lost', goal: { must: 'be at most', value: 0 }, always: true });
    const [p99, missed] = await run([metric({}), lost], { round }, (at) => (at % 2 === 0 ? 0 : 1));
    expect(p99).toMatchObject({ rounds: 10, voided: 9 });
    expect(missed).toMatchObject({ ours: 9, rounds: 19, voided: 0, judgement: 'missed' });
  });

  it('takes every round where others’ work changes nothing', async () => {
    expect(await run([metric({})], { noisy: false }, () => 1)).toMatchObject([{ ours: 99, rounds: 10, voided: 0 }]);
    const fails = { noisy: false, round: async () => Promise.reject(new Error('lost')) };
    await expect(run([metric({})], fails, () => 1)).rejects.toThrow('lost');
  });

  it('gives up after three times its rounds; a round that fails counts only when nobody disturbed it', async () => {
    const fails = { round: async () => Promise.reject(new Error('lost')) };
    expect(await run([metric({})], fails, () => 1)).toMatchObject([{ ours: null, rounds: 0, judgement: 'inconclusive' }]);
    await expect(run([metric({})], fails)).rejects.toThrow('lost');
    expect(await run([metric({})], {}, (at) => (at < 9 ? 0 : 1))).toMatchObject([{ rounds: 9, voided: 21, judgement: 'inconclusive' }]);
  });
});
