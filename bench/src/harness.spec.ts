import { seededRandom } from '@isthmus/core';
import { type Case, runCase } from './harness.ts';
import { judge } from './judgement.ts';
import { resultJson, resultTable } from './report.ts';

const atLeast = (value: number) => ({ must: 'be at least', value }) as const;
const constant = (fields: Partial<Case>): Case => ({
  name: 'rate',
  unit: 'MB/s',
  better: 'higher',
  noisy: true,
  goal: atLeast(0.95),
  rounds: 15,
  ours: async () => 98,
  peer: async () => 100,
  ...fields,
});
const run = (wanted: Case, foreign: (round: number) => number = () => 0) => {
  let round = 0;
  return runCase(wanted, { noise: () => () => foreign(round++), random: seededRandom(1) });
};

describe('judge', () => {
  it('calls a goal missed only if the whole interval lies on the wrong side', () => {
    expect(judge(atLeast(0.95), [0.9, 0.949])).toBe('missed');
    expect(judge(atLeast(0.95), [0.9, 0.95])).toBe('met');
    expect(judge({ must: 'be at most', value: 120 }, [121, 130])).toBe('missed');
    expect(judge({ must: 'be at most', value: 120 }, [119, 130])).toBe('met');
    expect(judge(atLeast(0.95), undefined)).toBe('inconclusive');
  });
});

describe('runCase', () => {
  it('takes medians of paired rounds', async () => {
    expect(await run(constant({}))).toMatchObject({
      ours: 98,
      peer: 100,
      ratio: 0.98,
      interval: [0.98, 0.98],
      judgement: 'met',
      rounds: 15,
      voided: 0,
    });
    expect(await run(constant({ ours: async () => 90 }))).toMatchObject({ ratio: 0.9, judgement: 'missed' });
  });

  it('turns the ratio round where lower is better', async () => {
    const latency = constant({ better: 'lower', ours: async () => 50, peer: async () => 40 });
    expect(await run(latency)).toMatchObject({ ours: 50, peer: 40, ratio: 0.8, interval: [0.8, 0.8], judgement: 'missed' });
  });

  it('pairs each of ours with the peer of its own round, so that a drift of the machine cancels out', async () => {
    let speed = 0;
    const side = async () => 100 + 10 * (speed++ >> 1);
    expect(await run(constant({ ours: side, peer: side }))).toMatchObject({ ratio: 1, interval: [1, 1] });
  });

  it('lets the two go first in turn', async () => {
    const order: string[] = [];
    const side = (name: string) => async () => order.push(name);
    await run(constant({ rounds: 3, ours: side('o'), peer: side('p') }));
    expect(order.join('')).toBe('oppoop');
  });

  it('leaves out rounds that others disturbed', async () => {
    let round = 0;
    const ours = async () => (round++ % 2 === 0 ? 98 : 10);
    const metric = await run(constant({ ours }), (at) => (at % 2 === 0 ? 0.5 : 0.51));
    expect(metric).toMatchObject({ ours: 98, rounds: 15, voided: 14, judgement: 'met' });
  });

  it('keeps disturbed rounds of what others cannot change', async () => {
    expect(await run(constant({ noisy: false }), () => 2)).toMatchObject({ rounds: 15, voided: 0, judgement: 'met' });
  });

  it('leaves out rounds in which nothing could be measured', async () => {
    let round = 0;
    const peer = async () => (round++ % 2 === 0 ? 100 : 0);
    expect(await run(constant({ peer }))).toMatchObject({ ratio: 0.98, rounds: 15, voided: 14 });
  });

  it('fails when a round fails, unless others disturbed it', async () => {
    let round = 0;
    const ours = async () => {
      if (round++ % 2 === 1) throw new Error('lost');
      return 98;
    };
    expect(await run(constant({ ours }), (at) => at % 2)).toMatchObject({ rounds: 15, voided: 14 });
    round = 0;
    await expect(run(constant({ ours }))).rejects.toThrow('lost');
  });

  it('gives up after three times its rounds, and then says nothing', async () => {
    const metric = await run(constant({ ours: async () => 10 }), (at) => (at < 14 ? 0 : 2));
    expect(metric).toMatchObject({ rounds: 14, voided: 31, interval: null, judgement: 'inconclusive' });
    expect(await run(constant({}), () => 2)).toMatchObject({ ours: null, ratio: null, voided: 45, judgement: 'inconclusive' });
  });

  it('judges ours itself where there is no peer, and nothing where there is no goal', async () => {
    const memory = constant({ unit: 'MB', peer: null, ours: async () => 100, goal: { must: 'be at most', value: 120 } });
    expect(await run(memory)).toMatchObject({ ours: 100, peer: null, ratio: null, interval: [100, 100], judgement: 'met' });
    expect(await run(constant({ goal: null }))).toMatchObject({ ratio: 0.98, judgement: null });
  });
});

describe('report', () => {
  it('writes what programs read', async () => {
    const facts = { name: 'pod-to-pod', commit: 'abc1234', kernel: '6.18.0', load: 0.5 };
    const metrics = [await run(constant({})), await run(constant({ name: 'lost' }), () => 2)];
    expect(JSON.parse(resultJson(facts, metrics))).toEqual({
      ...facts,
      metrics: [
        { name: 'rate', unit: 'MB/s', ours: 98, peer: 100, ratio: 0.98, interval: [0.98, 0.98], goal: 0.95, met: true },
        { name: 'lost', unit: 'MB/s', ours: null, peer: null, ratio: null, interval: null, goal: 0.95, met: null },
      ],
    });
  });

  it('prints what people read', async () => {
    const metrics = [
      await run(constant({ ours: async () => 12_345.67, peer: async () => 12_345.67 })),
      await run(constant({ name: 'lost' }), () => 2),
    ];
    expect(resultTable(metrics).split('\n')).toEqual([
      'metric  unit  ours   peer   ratio  95 %    goal     judgement     rounds',
      'rate    MB/s  12346  12346  1      1 to 1  >= 0.95  met           15',
      'lost    MB/s  -      -      -      -       >= 0.95  inconclusive  0 (45 void)',
    ]);
  });
});
