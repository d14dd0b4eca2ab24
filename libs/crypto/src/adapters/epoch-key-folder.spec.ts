import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WireGuardKey } from '../wireguard/wireguard-key.ts';
import { EpochKeyFolder } from './epoch-key-folder.ts';
import { systemRandomBytes } from './random-bytes.ts';

let root: string;
let folder: EpochKeyFolder;
const newKey = (): WireGuardKey => WireGuardKey.generate(systemRandomBytes);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'isthmus-epoch-keys-'));
  folder = new EpochKeyFolder(join(root, 'wireguard'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

it('keeps a key for each epoch, for its owner alone, and forgets one when told to', async () => {
  const [seven, eight] = [newKey(), newKey()];
  expect((await folder.load()).keys.size).toBe(0);
  await folder.save(7, seven);
  await folder.save(8, eight);
  const { keys, broken } = await folder.load();
  expect([...keys].map(([epoch, key]) => [epoch, key.publicKey])).toEqual([
    [7, seven.publicKey],
    [8, eight.publicKey],
  ]);
  expect([broken.size, statSync(folder.file(7)).mode & 0o777, statSync(folder.path).mode & 0o777]).toEqual([0, 0o600, 0o700]);
  expect(readFileSync(folder.file(7), 'utf8')).toBe(seven.text().toString());
  await folder.remove(7);
  await folder.remove(7);
  expect([existsSync(folder.file(7)), [...(await folder.load()).keys.keys()]]).toEqual([false, [8]]);
});

it('knows when a key was made, until it is gone', async () => {
  await folder.save(7, newKey());
  expect(await folder.madeAt(7)).toBe(statSync(folder.file(7)).mtimeMs);
  await folder.remove(7);
  expect(await folder.madeAt(7)).toBeUndefined();
});

it.each<[string, string, (file: string) => void]>([
  ['that others may read', 'KEY_FILE_OPEN', (file) => chmodSync(file, 0o640)],
  ['that was cut off', 'WIREGUARD_KEY', (file) => truncateSync(file, 20)],
  ['that is empty', 'WIREGUARD_KEY', (file) => truncateSync(file, 0)],
  ['of other bytes', 'WIREGUARD_KEY', (file) => writeFileSync(file, 'x'.repeat(44))],
])('does not use a file %s, says why, and uses the others', async (_, code, breaks) => {
  await folder.save(7, newKey());
  await folder.save(8, newKey());
  breaks(folder.file(8));
  const { keys, broken } = await folder.load();
  expect([[...keys.keys()], [...broken]]).toEqual([[7], [[folder.file(8), expect.objectContaining({ code })]]]);
});

it('looks at no other files', async () => {
  mkdirSync(folder.path, { mode: 0o700 });
  for (const name of ['epoch-0.key', 'epoch-x.key', 'epoch-5.key.old', '.epoch-5.key.1.0', 'psk'])
    writeFileSync(join(folder.path, name), 'x');
  expect(await folder.load()).toEqual({ keys: new Map(), broken: new Map() });
});

it('takes from others what they may do in its folder', async () => {
  mkdirSync(folder.path, { mode: 0o755 });
  await folder.load();
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
});

it('says whether it is in memory', async () => {
  const memory = mkdtempSync('/dev/shm/isthmus-epoch-keys-');
  try {
    expect(await new EpochKeyFolder(join(memory, 'wireguard')).isInMemory()).toBe(true);
  } finally {
    rmSync(memory, { recursive: true, force: true });
  }
});
