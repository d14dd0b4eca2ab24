import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateFolder } from '../state/state-folder.ts';
import { DrainFile } from './drain-file.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isthmus-drain-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('remembers a drain, and that it was taken back', () => {
  const file = (): DrainFile => new DrainFile(new StateFolder(dir));
  expect(file().load()).toBe(false);
  file().save(true);
  expect(file().load()).toBe(true);
  file().save(false);
  expect(file().load()).toBe(false);
});

it.each(['', '{', 'null', '{"draining":"yes"}'])('takes a broken file for none: %j', (text) => {
  writeFileSync(join(dir, 'bgp-drain.json'), text);
  expect(new DrainFile(new StateFolder(dir)).load()).toBe(false);
});

it('says when it cannot be written', () => {
  const state = new StateFolder(dir);
  rmSync(dir, { recursive: true, force: true });
  expect(() => new DrainFile(state).save(true)).toThrow(expect.objectContaining({ code: 'STATE_NOT_SAVED' }));
});
