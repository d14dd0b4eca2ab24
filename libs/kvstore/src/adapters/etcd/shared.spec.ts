import { Gate } from './gate.ts';
import { Shared, withSignal } from './shared.ts';

/** A question whose answers are given by hand. */
function question() {
  const open: { answer: (value: number) => void; fail: (error: Error) => void }[] = [];
  const ask = (): Promise<number> => new Promise((answer, fail) => open.push({ answer, fail }));
  return { open, ask };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('Shared', () => {
  it('asks once for all who ask together, and once more for all who ask meanwhile', async () => {
    const { open, ask } = question();
    const shared = new Shared<number>();
    const first = [shared.ask(ask), shared.ask(ask)];
    await turn();
    const later = [shared.ask(ask), shared.ask(ask)];
    await turn();
    expect(open.length).toBe(1);
    open[0]!.answer(1);
    expect(await Promise.all(first)).toEqual([1, 1]);
    await turn();
    expect(open.length).toBe(2);
    open[1]!.answer(2);
    expect(await Promise.all(later)).toEqual([2, 2]);
    expect(shared.idle).toBe(true);
  });

  it('tells a failure to those who asked, and nobody else', async () => {
    const { open, ask } = question();
    const shared = new Shared<number>();
    const failing = expect(shared.ask(ask)).rejects.toThrow('no');
    await turn();
    const good = shared.ask(ask);
    open[0]!.fail(new Error('no'));
    await failing;
    await turn();
    open[1]!.answer(7);
    expect(await good).toBe(7);
  });

  it('lets one stop waiting while the others go on', async () => {
    const { open, ask } = question();
    const shared = new Shared<number>();
    const stop = new AbortController();
    const [left, stayed] = [withSignal(shared.ask(ask), stop.signal), withSignal(shared.ask(ask), undefined)];
    await turn();
    stop.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    await expect(withSignal(shared.ask(ask), stop.signal)).rejects.toThrow('enough');
    open[0]!.answer(3);
    expect(await stayed).toBe(3);
  });
});

describe('Gate', () => {
  it('lets in so many at once, in order, also after a failure', async () => {
    const { open, ask } = question();
    const gate = new Gate(2);
    const entered: number[] = [];
    const enter = (i: number): Promise<number> => {
      entered.push(i);
      return ask();
    };
    const all = [0, 1, 2, 3].map((i) => gate.run(() => enter(i)));
    await turn();
    expect(entered).toEqual([0, 1]);
    open[1]!.fail(new Error('no'));
    await expect(all[1]).rejects.toThrow('no');
    await turn();
    expect(entered).toEqual([0, 1, 2]);
    open[0]!.answer(0);
    open[2]!.answer(2);
    await turn();
    open[3]!.answer(3);
    expect(await Promise.all([all[0], all[2], all[3]])).toEqual([0, 2, 3]);
  });
});
