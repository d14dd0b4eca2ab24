import { execFileSync, spawnSync } from 'node:child_process';
import { FakeCli } from '../testing/fake-cli.ts';

const cli = new FakeCli();

/** What bash offers after these words; the last one is being typed. */
async function completions(...words: readonly string[]): Promise<string[]> {
  await cli.run('completion', 'bash');
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `${cli.out}\nCOMP_WORDS=(isthmus ${list}); COMP_CWORD=${words.length}; _isthmus; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const offered = execFileSync('bash', ['-c', script], { encoding: 'utf8' });
  return offered.split('\n').filter((line) => line !== '');
}

it('offers subcommands where they are, past options and their values', async () => {
  expect(await completions('clu')).toEqual(['clustermesh', 'cluster']);
  expect(await completions('clustermesh', '')).toEqual(['connect', 'disconnect', 'revoke', 'status', 'token']);
  expect(await completions('clustermesh', 'token', '')).toEqual(['create']);
});

it('offers options once a dash is typed', async () => {
  expect(await completions('clustermesh', 'connect', '--destination')).toEqual(['--destination-context', '--destination-endpoint']);
  expect(await completions('clustermesh', 'connect', '--context', 'west', '--tok')).toEqual(['--token', '--token-file']);
});

it('offers kinds and shells', async () => {
  expect(await completions('get', 'ser')).toEqual(['services', 'serviceexports']);
  expect(await completions('completion', '')).toEqual(['bash', 'zsh', 'fish']);
});

it.each(['bash', 'zsh', 'fish'])('makes a script that %s can read', async (shell) => {
  expect(await cli.run('completion', shell)).toBe(0);
  expect(cli.out).toContain('clustermesh token');
  const parsed = spawnSync(shell, ['-n'], { input: cli.out, encoding: 'utf8' });
  // Only where the shell is installed can it be asked.
  if ((parsed.error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') expect([parsed.status, parsed.stderr]).toEqual([0, '']);
});

it('knows no shell but these', async () => {
  expect(await cli.run('completion', 'tcsh')).toBe(2);
});
