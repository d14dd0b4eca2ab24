import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryState } from '../endpoint/endpoint-fixture.ts';
import { STATE_NOT_SAVED, StateFolder } from './state-folder.ts';

describe('the state folder', () => {
  let state: ReturnType<typeof temporaryState>;
  let folder: StateFolder;
  beforeEach(() => {
    state = temporaryState();
    folder = new StateFolder(join(state.path, 'new'));
  });
  afterEach(() => state.remove());

  it('has nothing but the files that were written, as they were written last', () => {
    folder.write('a', 'first');
    folder.write('a', 'second');
    expect(readFileSync(join(folder.path, 'a'), 'utf8')).toBe('second');
    expect(folder.problem()).toBeUndefined();
    expect(readdirSync(folder.path)).toEqual(['a']);
  });

  it('says which file could not be written and why, keeps the old one and leaves nothing half done', () => {
    // Nobody, root neither, puts a file where a folder is.
    mkdirSync(join(folder.path, 'a'));
    writeFileSync(join(folder.path, 'a', 'old'), '');
    expect(() => folder.write('a', 'text')).toThrow(expect.objectContaining({ code: STATE_NOT_SAVED.code, object: folder.path }));
    expect(() => folder.write('a', 'text')).toThrow(`${join(folder.path, 'a')} cannot be written: `);
    expect(readdirSync(folder.path)).toEqual(['a']);
    expect(existsSync(join(folder.path, 'a', 'old'))).toBe(true);
  });

  it('has a problem until it can be written again, and finds that out by itself', () => {
    mkdirSync(join(folder.path, 'probe'));
    mkdirSync(join(folder.path, 'a'));
    expect(() => folder.write('a', 'text')).toThrow('illegal operation on a directory');
    expect(folder.problem()).toMatchObject({ code: STATE_NOT_SAVED.code, message: expect.stringContaining('probe') });
    rmdirSync(join(folder.path, 'probe'));
    expect(folder.problem()).toBeUndefined();
    expect(existsSync(join(folder.path, 'probe'))).toBe(false);
  });
});
