import type { Lab } from '../lab.ts';
import { type Check, expectThat } from './check.ts';
import { chooseChecks, runChecks } from './run-checks.ts';

const good: Check = { name: 'good', disruptive: false, run: async () => 'seen' };
const bad: Check = {
  name: 'bad',
  disruptive: true,
  async run() {
    expectThat(false, 'lost 3 of 1000');
    return '';
  },
};

describe('verify', () => {
  it('runs every check, also after one that failed', async () => {
    expect(await runChecks({} as Lab, [bad, good])).toEqual([
      { name: 'bad', ok: false, detail: 'lost 3 of 1000' },
      { name: 'good', ok: true, detail: 'seen' },
    ]);
  });

  it('leaves out what the lab has nothing for, and what comes after an interrupt', async () => {
    const stop = new AbortController();
    const elsewhere: Check = { ...bad, applies: () => false };
    const last: Check = {
      ...good,
      async run() {
        stop.abort();
        return 'restored';
      },
    };
    const results = await runChecks({} as Lab, [elsewhere, last, bad], { signal: stop.signal });
    expect(results).toEqual([{ name: 'good', ok: true, detail: 'restored' }]);
  });

  it('leaves out what disrupts, and runs one alone', () => {
    expect(chooseChecks([bad, good], { quick: true })).toEqual([good]);
    expect(chooseChecks([bad, good], { only: 'bad' })).toEqual([bad]);
    expect(() => chooseChecks([bad, good], { only: 'ugly' })).toThrow('there is no check ugly; there are bad, good');
  });
});
