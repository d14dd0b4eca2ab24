import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The class of the main thread: TS is an ordinary one, FF is SCHED_FIFO. */
const PROGRAM = `
import { becomeRealTime } from '${new URL('./real-time.ts', import.meta.url)}';
import { execFileSync } from 'node:child_process';
const classOf = () => execFileSync('ps', ['-L', '-o', 'class=', '-p', String(process.pid)], { encoding: 'utf8' }).trim().split(/\\s+/);
const said = [];
const now = becomeRealTime(1, (why) => said.push(why));
const before = [...new Set(classOf())];
const spent = () => process.cpuUsage().user + process.cpuUsage().system;
const end = spent() + 900_000;
while (spent() < end);
setTimeout(() => console.log(JSON.stringify({ first: before, then: [...new Set(classOf())], now, said })), 50);
`;

it('gives real time up when it runs on and on, so that others run, and says so', () => {
  const { stdout, stderr, signal } = spawnSync(process.execPath, ['--conditions=isthmus:source', '--input-type=module', '-e', PROGRAM], {
    encoding: 'utf8',
    timeout: 30_000,
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
  const { first, then, now, said } = JSON.parse(stdout);
  if (first.includes('TS')) return expect(now.error).toContain('the kernel does not let it have SCHED_FIFO'); // not root
  expect([first, then, now.fifo]).toEqual([['FF'], ['TS'], false]);
  expect(said).toEqual([expect.stringContaining('gave SCHED_FIFO up')]);
});
