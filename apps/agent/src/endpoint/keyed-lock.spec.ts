import { KeyedLock } from './keyed-lock.ts';

describe('KeyedLock', () => {
  it('runs tasks of one key one after another, also after a failure', async () => {
    const lock = new KeyedLock();
    const log: string[] = [];
    const task =
      (name: string, fail = false) =>
      async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
        if (fail) throw new Error(name);
      };
    const results = await Promise.allSettled([lock.run('k', task('a', true)), lock.run('k', task('b')), lock.run('k', task('c'))]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('does not hold up other keys', async () => {
    const lock = new KeyedLock();
    const held = Promise.withResolvers<void>();
    const first = lock.run('a', () => held.promise);
    expect(await lock.run('b', async () => 'done')).toBe('done');
    held.resolve();
    await first;
  });
});
