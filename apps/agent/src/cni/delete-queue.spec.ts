import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteQueue } from './delete-queue.ts';

describe('DeleteQueue', () => {
  let dir: string;
  let queue: DeleteQueue;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-queue-'));
    mkdirSync(join(dir, 'delete-queue'));
    queue = new DeleteQueue([dir, dir]);
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const put = (name: string, text: string): void => writeFileSync(join(dir, 'delete-queue', name), text);
  const left = (): string[] => readdirSync(join(dir, 'delete-queue')).sort();

  it('works off what was queued, and keeps what failed or cannot be read', async () => {
    put('a:eth0.json', '{"containerId":"a"}');
    put('b:eth0.json', '{"containerId":"b"}');
    put('broken.json', '{');
    put('writing', '{"containerId":"half"}');
    put('lock', '');
    const seen: unknown[] = [];
    const done = await queue.drain(async (body) => {
      seen.push(body);
      return { status: (body as { containerId: string }).containerId === 'a' ? 200 : 500, body: {} };
    });
    expect(seen).toEqual([{ containerId: 'a' }, { containerId: 'b' }]);
    expect(left()).toEqual(['b:eth0.json', 'broken.json', 'lock', 'writing']);
    expect(done.map(({ answer, error }) => answer?.status ?? error)).toEqual([200, 500, expect.any(SyntaxError)]);
  });

  it('makes its folder where there is none', async () => {
    rmSync(join(dir, 'delete-queue'), { recursive: true });
    const drained = queue.drain(() => Promise.reject(new Error('not called')));
    expect(await drained).toEqual([]);
    expect(left()).toEqual([]);
  });

  it('knows of which attachments a deletion waits, in whichever folder, and forgets those that are done', () => {
    const other = mkdtempSync(join(tmpdir(), 'isthmus-queue-'));
    const both = new DeleteQueue([other, dir]);
    put('a:eth0.json', '{}');
    put('a:net1.json', '{}');
    const [eth0, net1] = ['eth0', 'net1'].map((podInterface) => ({ containerId: 'a', podInterface })) as [never, never];
    expect([both.has(eth0), both.has(net1), both.has({ containerId: 'b', podInterface: 'eth0' })]).toEqual([true, true, false]);
    both.done(eth0);
    both.done(eth0);
    expect([both.has(eth0), both.has(net1)]).toEqual([false, true]);
    rmSync(other, { recursive: true });
  });

  it('leaves out a deletion that somebody did while others were being worked off', async () => {
    put('a:eth0.json', '{"containerId":"a"}');
    put('b:eth0.json', '{"containerId":"b"}');
    const seen: unknown[] = [];
    await queue.drain(async (body) => {
      seen.push(body);
      for (const containerId of ['a', 'b']) queue.done({ containerId, podInterface: 'eth0' });
      return { status: 200, body: {} };
    });
    expect(seen).toHaveLength(1);
  });
});
