import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drainDeleteQueue } from './delete-queue.ts';

describe('drainDeleteQueue', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isthmus-queue-'));
    mkdirSync(join(dir, 'delete-queue'));
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
    const done = await drainDeleteQueue(dir, async (body) => {
      seen.push(body);
      return { status: (body as { containerId: string }).containerId === 'a' ? 200 : 500, body: {} };
    });
    expect(seen).toEqual([{ containerId: 'a' }, { containerId: 'b' }]);
    expect(left()).toEqual(['b:eth0.json', 'broken.json', 'lock', 'writing']);
    expect(done.map(({ answer, error }) => answer?.status ?? error)).toEqual([200, 500, expect.any(SyntaxError)]);
  });

  it('is fine with no queue', async () => {
    rmSync(join(dir, 'delete-queue'), { recursive: true });
    expect(await drainDeleteQueue(dir, () => Promise.reject(new Error('not called')))).toEqual([]);
  });
});
