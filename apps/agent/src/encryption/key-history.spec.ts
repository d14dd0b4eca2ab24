import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateFolder } from '../state/state-folder.ts';
import { fingerprintOf } from './key-fingerprint.ts';
import { KeyHistory } from './key-history.ts';
import { KeyHistoryFile } from './key-history-file.ts';

const key = (byte: number): string => Buffer.alloc(32, byte).toString('base64');
/** What is there at a second; each key is made a hundred seconds after the one of the epoch before. */
const see = (history: KeyHistory, now: number, ...live: [epoch: number, byte: number][]): boolean =>
  history.see(
    live.map(([epoch, byte]) => ({ epoch, publicKey: key(byte), madeAt: 100_000 * epoch })),
    1000 * now,
  );
const entry = (epoch: number, byte: number, madeAt: string, goneAt: string | null = null) => {
  return { epoch, fingerprint: fingerprintOf(key(byte)), madeAt: `1970-01-01T${madeAt}Z`, goneAt: goneAt && `1970-01-01T${goneAt}Z` };
};

it('notes when keys came and went, the newest first', () => {
  const history = new KeyHistory([]);
  expect(see(history, 310, [3, 1])).toBe(true);
  expect(see(history, 320, [3, 1])).toBe(false);
  expect(see(history, 410, [3, 1], [4, 2])).toBe(true);
  expect(see(history, 430, [4, 2])).toBe(true);
  expect(history.keys).toEqual([entry(4, 2, '00:06:40'), entry(3, 1, '00:05:00', '00:07:10')]);
});

it('tells a new key of an epoch from the one before', () => {
  const history = new KeyHistory([]);
  see(history, 310, [3, 1]);
  see(history, 320, [3, 9]);
  expect(history.keys).toEqual([entry(3, 9, '00:05:00'), entry(3, 1, '00:05:00', '00:05:20')]);
});

it('keeps a hundred', () => {
  const history = new KeyHistory([]);
  for (let epoch = 1; epoch <= 150; epoch++) see(history, 100 * epoch, [epoch, epoch]);
  expect([history.keys.length, history.keys[0]?.epoch, history.keys.at(-1)?.epoch]).toEqual([100, 150, 51]);
});

describe('its file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isthmus-key-history-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has it for the next agent', () => {
    const history = new KeyHistory([]);
    see(history, 310, [3, 1]);
    new KeyHistoryFile(new StateFolder(folder)).save(history.keys);
    expect(new KeyHistoryFile(new StateFolder(folder)).load()).toEqual(history.keys);
  });

  it.each([undefined, '', '{}', '[{"epoch":"3"}]'])('counts as none where it is %j', (text) => {
    if (text !== undefined) writeFileSync(join(folder, 'key-history.json'), text);
    expect(new KeyHistoryFile(new StateFolder(folder)).load()).toEqual([]);
  });
});
