import { CheckFailed } from './check.ts';
import { RigOverloaded, repeatVoid } from './void-phase.ts';

/** A phase that ends in these ways, one after the other. */
function phase(...ends: (Error | string)[]): { run: () => Promise<string>; left: () => number } {
  const run = async (): Promise<string> => {
    const end = ends.shift()!;
    if (typeof end === 'string') return end;
    throw end;
  };
  return { run, left: () => ends.length };
}

describe('a phase', () => {
  it('is run again while it is void, and says why', async () => {
    const said: string[] = [];
    const { run } = phase(new RigOverloaded('queue one'), new RigOverloaded('queue two'), 'clean');
    expect(await repeatVoid(run, (why) => said.push(why))).toBe('clean');
    expect(said).toEqual(['queue one', 'queue two']);
  });

  it('that is void three times has failed', async () => {
    const { run, left } = phase(...['one', 'two', 'three', 'four'].map((text) => new RigOverloaded(text)));
    await expect(repeatVoid(run)).rejects.toThrow('void 3 times, so that nothing is proved; the last time: three');
    expect(left()).toBe(1);
  });

  it('that has failed is not run again', async () => {
    const { run, left } = phase(new CheckFailed('lost'), 'clean');
    await expect(repeatVoid(run)).rejects.toThrow('lost');
    expect(left()).toBe(1);
  });
});
