import type { Lab } from '../lab.ts';
import { defineFault, together, withFault } from './fault.ts';
import { FAULTS, faultNamed } from './registry.ts';

const lab = {} as Lab;

function recorded(): { said: string[]; step: (name: string) => ReturnType<typeof defineFault> } {
  const said: string[] = [];
  const step = (name: string) =>
    defineFault(name, async (_, undo) => {
      undo.add(async () => void said.push(`undo ${name}`));
      said.push(name);
      if (name === 'bad') throw new Error('cannot');
    });
  return { said, step };
}

describe('a fault', () => {
  it('is taken back after the work', async () => {
    const { said, step } = recorded();
    const answer = await withFault(lab, step('one'), async () => said.push('work'));
    expect(said).toEqual(['one', 'work', 'undo one']);
    expect(answer).toBe(2);
  });

  it('is taken back when the work fails', async () => {
    const { said, step } = recorded();
    await expect(withFault(lab, step('one'), () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(said).toEqual(['one', 'undo one']);
  });

  it('that fails half-way takes back what it did, and those before it theirs', async () => {
    const { said, step } = recorded();
    await expect(withFault(lab, together(step('one'), step('bad')), async () => said.push('work'))).rejects.toThrow('cannot');
    expect(said).toEqual(['one', 'bad', 'undo bad', 'undo one']);
  });

  it('is taken back step by step, last first, also after a step that fails', async () => {
    const said: string[] = [];
    const fault = defineFault('several', async (_, undo) => {
      undo.add(async () => void said.push('first'));
      undo.add(() => Promise.reject(new Error('stuck')));
      undo.add(async () => void said.push('last'));
    });
    await expect(withFault(lab, fault, async () => undefined)).rejects.toThrow('stuck');
    expect(said).toEqual(['last', 'first']);
  });
});

describe('faults by name', () => {
  it.each(FAULTS)('find $name', ({ name, usage }) => {
    const words = usage.split(' ').map((word) => (/^<(seconds|kilobits|milliseconds)/.test(word) ? '64' : 'east'));
    expect(faultNamed([name, ...words]).name).toContain(name);
  });

  it('say what there is, and how it is asked for', () => {
    expect(() => faultNamed(['burn'])).toThrow('there is no fault burn; there are kill, ');
    expect(() => faultNamed(['kill'])).toThrow('kill <process>');
    expect(() => faultNamed(['clock', 'later'])).toThrow('"later" is no number');
  });
});
