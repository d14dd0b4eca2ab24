import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ContextFolder, contextFolder } from '../testing/context-folder.ts';
import { FakeCli } from '../testing/fake-cli.ts';
import { FakeJoinApi } from '../testing/fake-join-api.ts';

let folder: ContextFolder;
let cli: FakeCli;
let config: string;
let sequence = 0;

beforeAll(async () => {
  folder = await contextFolder('west');
});

afterAll(() => folder.remove());

beforeEach(() => {
  cli = new FakeCli();
  config = join(folder.dir, `made-${sequence++}`, 'config');
  cli.env['ISTHMUS_CONFIG'] = config;
});

function files(): string[] {
  const at = (name: string): string => join(folder.dir, 'west', name);
  return ['--ca', at('ca/ca.crt'), '--cert', at('clients/admin-west.crt'), '--key', at('clients/admin-west.key')];
}

it('makes a context that only its owner can read, and which other commands use', async () => {
  expect(await cli.run('context', 'set', 'west', '--endpoint', 'west.test:4280', ...files(), '--embed-ca')).toBe(0);
  expect(cli.out).toContain('it is the current one');
  expect([(await stat(config)).mode & 0o777, (await stat(join(config, '..'))).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(await readFile(config, 'utf8')).not.toContain('PRIVATE KEY');
  const west = new FakeJoinApi('west', 1);
  cli.joinApis.set(west.endpoint, west);
  expect(await cli.run('clustermesh', 'status')).toBe(0);
  expect(cli.joinOptions[0]).toMatchObject({ trust: { caBundle: await folder.read('west/ca/ca.crt') } });
});

it('changes parts, chooses, lists and forgets', async () => {
  await cli.run('context', 'set', 'b', '--endpoint', 'b.test:1');
  await cli.run('context', 'set', 'a', '--endpoint', '[fd00::1]:443');
  await cli.run('context', 'set', 'b', '--etcd', folder.config);
  expect(parse(await readFile(config, 'utf8'))).toEqual({
    current: 'b',
    contexts: [
      { name: 'a', endpoint: 'https://[fd00::1]:443' },
      { name: 'b', endpoint: 'https://b.test:1', etcd: folder.config },
    ],
  });
  expect(await cli.run('context', 'use', 'a')).toBe(0);
  expect(await cli.run('context', 'list')).toBe(0);
  expect(cli.out).toMatch(/^\* +a +https:\/\/\[fd00::1\]:443/m);
  expect(await cli.run('context', 'delete', 'a')).toBe(0);
  expect(await cli.run('context', 'use', 'a')).toBe(5);
  await cli.run('context', 'list', '-o', 'json');
  expect(JSON.parse(cli.out)).toMatchObject({ current: null, contexts: [{ name: 'b' }] });
});

it('refuses files that are not there and halves of a pair', async () => {
  expect(await cli.run('context', 'set', 'x', '--ca', join(folder.dir, 'none'))).toBe(1);
  expect(cli.err).toContain('CLI_FILE');
  expect(await cli.run('context', 'set', 'x', '--cert', folder.config)).toBe(2);
});

it('warns of a file that others can read, and names what is wrong in one', async () => {
  await cli.run('context', 'set', 'west', '--endpoint', 'west.test:1');
  await chmod(config, 0o644);
  expect(await cli.run('context', 'list')).toBe(0);
  expect(cli.err).toBe(`warning: ${config} can be read by others (mode 644); run "chmod 600 ${config}"\n`);
  await writeFile(config, 'contexts: [{ name: a }, { name: a, secret: x }]');
  expect(await cli.run('context', 'list')).toBe(1);
  expect(cli.err).toContain(`error: CLI_CONTEXT_FILE ${config}: contexts.1: Unrecognized key: "secret"`);
});

it('is not used with a key that others can read', async () => {
  await cli.run('context', 'set', 'west', '--endpoint', 'west.test:4280', ...files());
  const key = join(folder.dir, 'west/clients/admin-west.key');
  await chmod(key, 0o640);
  expect(await cli.run('clustermesh', 'status')).toBe(1);
  expect(cli.err).toContain(`error: KEY_FILE_OPEN ${key}`);
  await chmod(key, 0o600);
});
